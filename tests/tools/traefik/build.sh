#!/bin/sh
# Build the router that the tests send requests through, once, by Go module name: tests/tools/traefik/build.sh DIRECTORY
#
# DIRECTORY/bin/traefik is the program, DIRECTORY/traefik.key says of what it was built: nothing is built again until
# that changes. Its CRDs come with the cluster's (../build.sh).
set -eu

name=traefik
. "$(dirname "$0")/../once.sh"

echo "building traefik … This takes about 7 minutes once, in $into." >&2
CGO_ENABLED=0 GOFLAGS=-mod=readonly go build -trimpath -ldflags='-s -w' \
    -o "$into/bin/traefik" github.com/traefik/traefik/v3/cmd/traefik
built
