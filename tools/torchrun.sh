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
for number in "processes per machine:$processes" "NNODES:${NNODES:-1}" \
    "NODE_RANK:${NODE_RANK:-0}" "PORT:${PORT:-29500}" "MAX_RESTARTS:${MAX_RESTARTS:-0}"; do
    if [[ ! "${number##*:}" =~ ^[0-9]+$ ]]; then
        echo "error: ${number%%:*} must be a number, got '${number##*:}'" >&2
        exit 2
    fi
done
if [ "${NODE_RANK:-0}" -ge "${NNODES:-1}" ]; then
    echo "error: NODE_RANK=${NODE_RANK:-0}, but the ranks of NNODES=${NNODES:-1} machines start with 0" >&2
    exit 2
fi
if [ "${NNODES:-1}" -gt 1 ] && [ -z "${MASTER_ADDR:-}" ]; then
    echo "error: NNODES=$NNODES needs MASTER_ADDR, the address of machine 0" >&2
    exit 2
fi
address=${MASTER_ADDR:-127.0.0.1}
port=${PORT:-29500}

launcher=(--nnodes="${NNODES:-1}" --nproc_per_node="$processes")
if [ "${MAX_RESTARTS:-0}" -gt 0 ]; then
    # A store that outlives the processes would give the new ones the addresses of the dead ones.
    export TORCH_DISABLE_SHARE_RDZV_TCP_STORE=1
    launcher+=(--max-restarts="$MAX_RESTARTS" --rdzv-backend=c10d --rdzv-id="mmtrack-$port"
        --rdzv-endpoint="$address:$port")
    if [ "${NODE_RANK:-0}" -eq 0 ]; then
        launcher+=(--rdzv-conf=is_host=1 --local-addr="${LOCAL_ADDR:-$address}")
    else
        launcher+=(--rdzv-conf=is_host=0 ${LOCAL_ADDR:+--local-addr="$LOCAL_ADDR"})
    fi
else
    launcher+=(--node_rank="${NODE_RANK:-0}" --master_addr="$address" --master_port="$port")
fi
export OMP_NUM_THREADS="${OMP_NUM_THREADS:-1}"
exec "${PYTHON:-python}" -m torch.distributed.run "${launcher[@]}" \
    "$script" "$config" --launcher pytorch "${@:4}"
