#!/usr/bin/env bash
# Test in a slurm job.
# Usage: tools/slurm_test.sh PARTITION JOB_NAME CONFIG [PROCESSES] [options of tools/test.py]
# Environment: GPUS=8 GPUS_PER_NODE=8 CPUS_PER_TASK=2 SRUN_ARGS (see tools/srun.sh)
set -euo pipefail

if [ "$#" -lt 3 ]; then
    echo "usage: $0 PARTITION JOB_NAME CONFIG [PROCESSES] [options of tools/test.py]" >&2
    exit 2
fi
here=$(cd "$(dirname "$0")" && pwd)
exec "$here/srun.sh" "$here/test.py" "$@"
