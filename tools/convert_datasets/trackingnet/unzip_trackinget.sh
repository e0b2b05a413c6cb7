#!/usr/bin/env bash
# The name that MMTracking 0.14 gave to unzip_trackingnet.sh.

set -euo pipefail
exec bash "$(dirname "${BASH_SOURCE[0]}")/unzip_trackingnet.sh" "$@"
