#!/usr/bin/env bash
# Test with several processes on each machine.
# Usage: tools/dist_test.sh CONFIG PROCESSES_PER_MACHINE [options of tools/test.py]
# Environment: NNODES=1 NODE_RANK=0 PORT=29500 MASTER_ADDR=127.0.0.1 (see tools/torchrun.sh)
set -euo pipefail

if [ "$#" -lt 2 ]; then
    echo "usage: $0 CONFIG PROCESSES_PER_MACHINE [options of tools/test.py]" >&2
    exit 2
fi
here=$(cd "$(dirname "$0")" && pwd)
exec "$here/torchrun.sh" "$here/test.py" "$@"
