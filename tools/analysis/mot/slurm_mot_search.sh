#!/usr/bin/env bash
# Search settings of a tracker in a slurm job.
# Usage: tools/analysis/mot/slurm_mot_search.sh PARTITION JOB_NAME CONFIG [PROCESSES] [options of mot_param_search.py]
# Environment: GPUS=8 (processes, where not the fourth argument) GPUS_PER_NODE=8 CPUS_PER_TASK=2
#              SRUN_ARGS (further options of srun)
set -euo pipefail

if [ "$#" -lt 3 ]; then
    echo "usage: $0 PARTITION JOB_NAME CONFIG [PROCESSES] [options of mot_param_search.py]" >&2
    exit 2
fi
partition=$1
job_name=$2
config=$3
shift 3
processes=${GPUS:-8}
if [[ "${1:-}" =~ ^[0-9]+$ ]]; then
    processes=$1
    shift
fi
per_node=${GPUS_PER_NODE:-8}
per_node=$((processes < per_node ? processes : per_node))
here=$(cd "$(dirname "$0")" && pwd)

# SRUN_ARGS holds several words on purpose.
# shellcheck disable=SC2086
srun -p "$partition" \
    --job-name="$job_name" \
    --gres="gpu:$per_node" \
    --ntasks="$processes" \
    --ntasks-per-node="$per_node" \
    --cpus-per-task="${CPUS_PER_TASK:-2}" \
    --kill-on-bad-exit=1 \
    ${SRUN_ARGS:-} \
    "${PYTHON:-python}" -u "$here/mot_param_search.py" "$config" --launcher=slurm "$@"
