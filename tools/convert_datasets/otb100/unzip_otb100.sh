#!/usr/bin/env bash
# Unpack the archives of otb100: bash tools/convert_datasets/otb100/unzip_otb100.sh DATA_DIR

set -euo pipefail
here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
PYTHONPATH="$here/../../..${PYTHONPATH:+:$PYTHONPATH}" \
    "${PYTHON:-python}" "$here/../unzip.py" otb100 "${1:?usage: $0 DATA_DIR}"
