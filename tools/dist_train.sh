#!/usr/bin/env bash
# Train with several processes on each machine.
# Usage: tools/dist_train.sh CONFIG PROCESSES_PER_MACHINE [options of tools/train.py]
# Environment: NNODES=1 NODE_RANK=0 PORT=29500 MASTER_ADDR=127.0.0.1 MAX_RESTARTS=0 (see torchrun.sh)
# With MAX_RESTARTS the training goes on from the last good checkpoint of its work dir.
set -euo pipefail

if [ "$#" -lt 2 ]; then
    echo "usage: $0 CONFIG PROCESSES_PER_MACHINE [options of tools/train.py]" >&2
    exit 2
fi
here=$(cd "$(dirname "$0")" && pwd)
options=("${@:3}")
if [ "${MAX_RESTARTS:-0}" != 0 ]; then
    options+=(--auto-resume)
fi
"$here/torchrun.sh" "$here/train.py" "$1" "$2" ${options[@]+"${options[@]}"} &
child=$!
trap 'kill -TERM "$child" 2>/dev/null || true' TERM INT # or the processes would go on alone
status=0
wait "$child" || status=$?
while kill -0 "$child" 2>/dev/null; do # a signal ended the first wait
    status=0
    wait "$child" || status=$?
done
case $status in
    0 | 2) ;; # 2: wrong arguments, nothing was started
    129 | 130 | 143) echo "dist_train.sh: training was stopped by a signal" >&2 ;;
    *)
        echo "dist_train.sh: training ended with status $status; the error of the first process that" \
            "failed stands above" >&2
        ;;
esac
if [ "$status" -ne 0 ] && [ "$status" -ne 2 ]; then
    echo "dist_train.sh: with --auto-resume the same command goes on from the last good checkpoint," \
        "if there is one" >&2
fi
exit "$status"
