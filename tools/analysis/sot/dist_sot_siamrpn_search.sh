#!/usr/bin/env bash
# Search settings of SiameseRPN++ with several processes on this machine.
# Usage: tools/analysis/sot/dist_sot_siamrpn_search.sh CONFIG PROCESSES [options of sot_siamrpn_param_search.py]
# Environment: PORT=29500
set -euo pipefail

if [ "$#" -lt 2 ]; then
    echo "usage: $0 CONFIG PROCESSES [options of sot_siamrpn_param_search.py]" >&2
    exit 2
fi
config=$1
processes=$2
here=$(cd "$(dirname "$0")" && pwd)

export OMP_NUM_THREADS="${OMP_NUM_THREADS:-1}"
"${PYTHON:-python}" -m torch.distributed.run \
    --nproc_per_node="$processes" \
    --master_port="${PORT:-29500}" \
    "$here/sot_siamrpn_param_search.py" "$config" --launcher pytorch "${@:3}"
