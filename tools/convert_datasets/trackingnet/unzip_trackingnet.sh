#!/usr/bin/env bash
# Unpack the archives of trackingnet: bash tools/convert_datasets/trackingnet/unzip_trackingnet.sh DATA_DIR

set -euo pipefail
here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
PYTHONPATH="$here/../../..${PYTHONPATH:+:$PYTHONPATH}" \
    "${PYTHON:-python}" "$here/../unzip.py" trackingnet "${1:?usage: $0 DATA_DIR}"
