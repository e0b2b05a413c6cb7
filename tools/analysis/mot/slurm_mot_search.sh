#!/usr/bin/env bash
# Search settings of a tracker in a slurm job.
# Usage: tools/analysis/mot/slurm_mot_search.sh PARTITION JOB_NAME CONFIG [PROCESSES] [options of mot_param_search.py]
# Environment: GPUS=8 GPUS_PER_NODE=8 CPUS_PER_TASK=2 SRUN_ARGS (see tools/srun.sh)
set -euo pipefail

if [ "$#" -lt 3 ]; then
    echo "usage: $0 PARTITION JOB_NAME CONFIG [PROCESSES] [options of mot_param_search.py]" >&2
    exit 2
fi
here=$(cd "$(dirname "$0")" && pwd)
exec "$here/../../srun.sh" "$here/mot_param_search.py" "$@"
