#!/usr/bin/env bash
# Train in a slurm job.
# Usage: tools/slurm_train.sh PARTITION JOB_NAME CONFIG WORK_DIR [PROCESSES] [options of tools/train.py]
# Environment: GPUS=8 GPUS_PER_NODE=8 CPUS_PER_TASK=2 SRUN_ARGS (see tools/srun.sh)
set -euo pipefail

if [ "$#" -lt 4 ]; then
    echo "usage: $0 PARTITION JOB_NAME CONFIG WORK_DIR [PROCESSES] [options of tools/train.py]" >&2
    exit 2
fi
here=$(cd "$(dirname "$0")" && pwd)
exec "$here/srun.sh" "$here/train.py" "$1" "$2" "$3" "${@:5}" --work-dir="$4"
