#!/bin/sh
# Update requirements.txt and build-requirements.txt, the packages in the image with their hashes, to the versions in
# constraints.txt. Usage: deploy/images/pages/requirements.sh UV (docs.astral.sh/uv, or pip install uv)
set -eu

[ $# = 1 ] || { echo "usage: $0 UV" >&2; exit 2; }
uv=$1
here=$(cd "$(dirname "$0")" && pwd)
cd "$here/../../.."

compile() { # SOURCE FILE
    "$uv" pip compile --quiet --universal --python-version 3.11 --generate-hashes --no-annotate --no-header \
        --no-emit-index-url --only-binary :all: --constraint constraints.txt "$1" > "$2.new"
    mv "$2.new" "$2"
}

compile pyproject.toml "$here/requirements.txt"
sed -n 's/^requires = \["\(.*\)"\]$/\1/p' pyproject.toml > "$here/build.in"
compile "$here/build.in" "$here/build-requirements.txt"
rm "$here/build.in"
