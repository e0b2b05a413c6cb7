#!/usr/bin/env bash
# The name that the manual of MMTracking 0.14 gives to dist_sot_siamrpn_search.sh.
exec "$(cd "$(dirname "$0")" && pwd)/dist_sot_siamrpn_search.sh" "$@"
