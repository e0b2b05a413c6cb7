#!/usr/bin/env bash
# Test with several processes on each machine.
# Usage: tools/dist_test.sh CONFIG PROCESSES_PER_MACHINE [options of tools/test.py]
# Environment: NNODES=1 NODE_RANK=0 PORT=29500 MASTER_ADDR=127.0.0.1
set -euo pipefail

if [ "$#" -lt 2 ]; then
    echo "usage: $0 CONFIG PROCESSES_PER_MACHINE [options of tools/test.py]" >&2
    exit 2
fi
config=$1
processes=$2
here=$(cd "$(dirname "$0")" && pwd)

export OMP_NUM_THREADS="${OMP_NUM_THREADS:-1}"
"${PYTHON:-python}" -m torch.distributed.run \
    --nnodes="${NNODES:-1}" \
    --node_rank="${NODE_RANK:-0}" \
    --nproc_per_node="$processes" \
    --master_addr="${MASTER_ADDR:-127.0.0.1}" \
    --master_port="${PORT:-29500}" \
    "$here/test.py" "$config" --launcher pytorch "${@:3}"
