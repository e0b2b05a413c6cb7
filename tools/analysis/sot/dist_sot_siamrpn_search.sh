#!/usr/bin/env bash
# Search settings of SiameseRPN++ with several processes on each machine.
# Usage: tools/analysis/sot/dist_sot_siamrpn_search.sh CONFIG PROCESSES_PER_MACHINE [options of sot_siamrpn_param_search.py]
# Environment: NNODES=1 NODE_RANK=0 PORT=29500 MASTER_ADDR=127.0.0.1 (see tools/torchrun.sh)
set -euo pipefail

if [ "$#" -lt 2 ]; then
    echo "usage: $0 CONFIG PROCESSES_PER_MACHINE [options of sot_siamrpn_param_search.py]" >&2
    exit 2
fi
here=$(cd "$(dirname "$0")" && pwd)
exec "$here/../../torchrun.sh" "$here/sot_siamrpn_param_search.py" "$@"
