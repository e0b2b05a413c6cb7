#!/usr/bin/env bash
# Start a script of the toolbox as a slurm job. The slurm_*.sh scripts call it.
# Usage: tools/srun.sh SCRIPT PARTITION JOB_NAME CONFIG [PROCESSES] [options of SCRIPT]
# Environment:
#   GPUS=8            processes of the job, where not the fifth argument
#   GPUS_PER_NODE=8   processes on each machine; 0 asks slurm for no GPUs and lets it place them
#   CPUS_PER_TASK=2   cores of each process
#   SRUN_ARGS         further options of srun
#   PYTHON=python
set -euo pipefail

if [ "$#" -lt 4 ]; then
    echo "usage: $0 SCRIPT PARTITION JOB_NAME CONFIG [PROCESSES] [options of SCRIPT]" >&2
    exit 2
fi
script=$1
partition=$2
job_name=$3
config=$4
shift 4
processes=${GPUS:-8}
if [[ "${1:-}" =~ ^[0-9]+$ ]]; then
    processes=$1
    shift
fi
if ! command -v srun >/dev/null; then
    echo "error: srun is not on the PATH: is this a login node of a slurm cluster?" >&2
    exit 127
fi
placement=()
per_node=${GPUS_PER_NODE:-8}
if [ "$per_node" -gt 0 ]; then
    per_node=$((processes < per_node ? processes : per_node))
    placement=(--gres="gpu:$per_node" --ntasks-per-node="$per_node")
fi

# SRUN_ARGS holds several words on purpose.
# shellcheck disable=SC2086
exec srun -p "$partition" \
    --job-name="$job_name" \
    --ntasks="$processes" \
    ${placement[@]+"${placement[@]}"} \
    --cpus-per-task="${CPUS_PER_TASK:-2}" \
    --kill-on-bad-exit=1 \
    ${SRUN_ARGS:-} \
    "${PYTHON:-python}" -u "$script" "$config" --launcher=slurm "$@"
