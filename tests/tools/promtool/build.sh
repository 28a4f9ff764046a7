#!/bin/sh
# Build what checks the alert rules, once, by Go module name: tests/tools/promtool/build.sh DIRECTORY
#
# DIRECTORY/bin/promtool is the program, DIRECTORY/promtool.key says of what it was built: nothing is built again until
# that changes.
set -eu

name=promtool
. "$(dirname "$0")/../once.sh"

echo "building promtool … This takes about 5 minutes once, in $into." >&2
CGO_ENABLED=0 GOFLAGS=-mod=readonly go build -trimpath -ldflags='-s -w' -tags 'remove_all_sd' \
    -o "$into/bin/promtool" github.com/prometheus/prometheus/cmd/promtool
built
