#!/usr/bin/env bash
# Unpack the archives of got10k: bash tools/convert_datasets/got10k/unzip_got10k.sh DATA_DIR

set -euo pipefail
here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
PYTHONPATH="$here/../../..${PYTHONPATH:+:$PYTHONPATH}" \
    "${PYTHON:-python}" "$here/../unzip.py" got10k "${1:?usage: $0 DATA_DIR}"
