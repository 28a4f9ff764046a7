#!/bin/sh
# Build the router that the tests send requests through, once, by Go module name: tests/tools/traefik/build.sh DIRECTORY
#
# DIRECTORY/bin/traefik is the program, DIRECTORY/traefik.key says of what it was built: nothing is built again until
# that changes. Its CRDs come with the cluster's (../build.sh).
set -eu

[ $# = 1 ] || { echo "usage: $0 DIRECTORY" >&2; exit 2; }
mkdir -p "$1/bin"
into=$(cd "$1" && pwd)
cd "$(dirname "$0")"

if ! command -v go >/dev/null; then
    echo "Go is needed to build Traefik: install it from go.dev/dl, or a package such as golang-go" >&2
    exit 1
fi
key=$(cat go.mod go.sum tools.go build.sh | cksum)
if [ -f "$into/traefik.key" ] && [ "$(cat "$into/traefik.key")" = "$key" ]; then
    exit 0
fi
rm -f "$into/traefik.key"

echo "building traefik … This takes about 7 minutes once, in $into." >&2
CGO_ENABLED=0 GOFLAGS=-mod=readonly go build -trimpath -ldflags='-s -w' \
    -o "$into/bin/traefik" github.com/traefik/traefik/v3/cmd/traefik
echo "$key" > "$into/traefik.key"
