#!/usr/bin/env bash
# Start a script of the toolbox with several processes on each machine. The dist_*.sh scripts call it.
# Usage: tools/torchrun.sh SCRIPT CONFIG PROCESSES_PER_MACHINE [options of SCRIPT]
# Environment:
#   NNODES=1 NODE_RANK=0           number of machines, and which one this is
#   MASTER_ADDR=127.0.0.1          address of machine 0, as the others see it
#   PORT=29500                     free port of machine 0
#   MAX_RESTARTS=0                 how often all processes are started again after one has died
#   LOCAL_ADDR                     address of this machine where its host name does not lead to it
#   PYTHON=python OMP_NUM_THREADS=1
set -euo pipefail

if [ "$#" -lt 3 ]; then
    echo "usage: $0 SCRIPT CONFIG PROCESSES_PER_MACHINE [options of SCRIPT]" >&2
    exit 2
fi
script=$1
config=$2
processes=$3
nodes=${NNODES:-1}
rank=${NODE_RANK:-0}
address=${MASTER_ADDR:-127.0.0.1}
port=${PORT:-29500}
restarts=${MAX_RESTARTS:-0}
python=${PYTHON:-python}

fail() {
    echo "error: $*" >&2
    exit 2
}
for number in "processes per machine:$processes" "NNODES:$nodes" "NODE_RANK:$rank" "PORT:$port" \
    "MAX_RESTARTS:$restarts"; do
    if [[ ! "${number##*:}" =~ ^[0-9]{1,9}$ ]]; then
        fail "${number%%:*} must be a number, got '${number##*:}'"
    fi
done
[ "$processes" -ge 1 ] || fail "processes per machine must be at least 1"
[ "$nodes" -ge 1 ] || fail "NNODES must be at least 1"
[ "$rank" -lt "$nodes" ] || fail "NODE_RANK=$rank: the ranks of NNODES=$nodes machines start with 0"
if [ "$port" -lt 1 ] || [ "$port" -gt 65535 ]; then
    fail "PORT must be between 1 and 65535, got $port"
fi
if [ "$nodes" -gt 1 ] && [ -z "${MASTER_ADDR:-}" ]; then
    fail "NNODES=$nodes needs MASTER_ADDR, the address of machine 0"
fi
command -v "$python" >/dev/null || fail "there is no program $python: set PYTHON to that to use"
if [ "$rank" -eq 0 ] && ! "$python" -c '
import socket, sys
with socket.socket() as s:
    s.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    s.bind(("", int(sys.argv[1])))' "$port" 2>/dev/null; then
    fail "port $port of this machine is in use, by another training perhaps; set PORT to a free" \
        "one, on all machines"
fi
if [ "$nodes" -gt 1 ]; then
    echo "machine $rank of $nodes waits for the others at $address:$port, for ten minutes" >&2
fi

launcher=(--nnodes="$nodes" --nproc_per_node="$processes")
if [ "$restarts" -gt 0 ]; then
    # A store that outlives the processes would give the new ones the addresses of the dead ones.
    export TORCH_DISABLE_SHARE_RDZV_TCP_STORE=1
    launcher+=(--max-restarts="$restarts" --rdzv-backend=c10d --rdzv-id="mmtrack-$port"
        --rdzv-endpoint="$address:$port")
    if [ "$rank" -eq 0 ]; then
        launcher+=(--rdzv-conf=is_host=1 --local-addr="${LOCAL_ADDR:-$address}")
    else
        # As long as machine 0 waits for this one; a minute by default.
        launcher+=("--rdzv-conf=is_host=0,read_timeout=600" ${LOCAL_ADDR:+--local-addr="$LOCAL_ADDR"})
    fi
else
    launcher+=(--node_rank="$rank" --master_addr="$address" --master_port="$port")
fi
export OMP_NUM_THREADS="${OMP_NUM_THREADS:-1}"
exec "$python" -m torch.distributed.run "${launcher[@]}" \
    "$script" "$config" --launcher pytorch "${@:4}"
