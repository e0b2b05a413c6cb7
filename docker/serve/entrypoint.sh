#!/usr/bin/env bash
# Serve the archives of the model store, or run another command in the image.
#
#   TOKEN_AUTH=on         clients need the keys in key_file.json (default: off)
#   TS_CONFIG_FILE=FILE   another config.properties
set -euo pipefail

if [[ "${1:-serve}" != serve ]]; then
  exec "$@"
fi

options=(--ncs --ts-config "${TS_CONFIG_FILE:-/home/model-server/config.properties}")
case "${TOKEN_AUTH:-off}" in
  on) ;;
  off) options+=(--disable-token-auth) ;;
  *)
    echo "TOKEN_AUTH must be on or off, but is ${TOKEN_AUTH}" >&2
    exit 2
    ;;
esac

torchserve --start --foreground "${options[@]}" &
server=$!
# `docker stop` sends SIGTERM to this shell. TorchServe's launcher would leave its Java process
# alone; --stop ends that one, which ends its workers, and waits for it.
stopped=no
trap 'stopped=yes; torchserve --stop --foreground' TERM INT
status=0
wait "$server" || status=$?
# A signal ends this wait before the server has ended.
wait "$server" || true
if [[ $stopped == yes ]]; then
  exit 0
fi
exit "$status"
