#!/usr/bin/env bash
# Search settings of a tracker with several processes on this machine.
# Usage: tools/analysis/mot/dist_mot_search.sh CONFIG PROCESSES [options of mot_param_search.py]
# Environment: PORT=29500
set -euo pipefail

if [ "$#" -lt 2 ]; then
    echo "usage: $0 CONFIG PROCESSES [options of mot_param_search.py]" >&2
    exit 2
fi
config=$1
processes=$2
here=$(cd "$(dirname "$0")" && pwd)

export OMP_NUM_THREADS="${OMP_NUM_THREADS:-1}"
"${PYTHON:-python}" -m torch.distributed.run \
    --nproc_per_node="$processes" \
    --master_port="${PORT:-29500}" \
    "$here/mot_param_search.py" "$config" --launcher pytorch "${@:3}"
