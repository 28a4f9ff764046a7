#!/bin/sh
# Build what checks the alert rules, once, by Go module name: tests/tools/promtool/build.sh DIRECTORY
#
# DIRECTORY/bin/promtool is the program, DIRECTORY/promtool.key says of what it was built: nothing is built again until
# that changes.
set -eu

[ $# = 1 ] || { echo "usage: $0 DIRECTORY" >&2; exit 2; }
mkdir -p "$1/bin"
into=$(cd "$1" && pwd)
cd "$(dirname "$0")"

if ! command -v go >/dev/null; then
    echo "Go is needed to build promtool: install it from go.dev/dl, or a package such as golang-go" >&2
    exit 1
fi
key=$(cat go.mod go.sum tools.go build.sh | cksum)
if [ -f "$into/promtool.key" ] && [ "$(cat "$into/promtool.key")" = "$key" ]; then
    exit 0
fi
rm -f "$into/promtool.key"

echo "building promtool … This takes about 5 minutes once, in $into." >&2
CGO_ENABLED=0 GOFLAGS=-mod=readonly go build -trimpath -ldflags='-s -w' -tags 'remove_all_sd' \
    -o "$into/bin/promtool" github.com/prometheus/prometheus/cmd/promtool
echo "$key" > "$into/promtool.key"
