#!/bin/sh
# Build the forge that the tests push to, once, by Go module name: tests/tools/gitea/build.sh DIRECTORY
#
# DIRECTORY/bin/gitea is the program, DIRECTORY/gitea the templates that it reads at its start, DIRECTORY/gitea.key says
# of what it was built: nothing is built again until that changes.
set -eu

name=gitea
. "$(dirname "$0")/../once.sh"

module=code.gitea.io/gitea
if ! command -v "$(go env CC)" >/dev/null; then # its SQLite is in C
    echo "Gitea is left out, and so are the tests that push to it: it needs a C compiler, such as the package gcc." >&2
    exit 0
fi

echo "building gitea … This takes about 5 minutes once, in $into." >&2
CGO_ENABLED=1 GOFLAGS=-mod=readonly go build -trimpath -ldflags='-s -w' -tags 'sqlite sqlite_unlock_notify' \
    -o "$into/bin/gitea" "$module"

folder=$(go list -mod=readonly -m -f '{{.Dir}}' "$module")
rm -rf "$into/gitea"
mkdir "$into/gitea"
cp -r "$folder/options" "$folder/templates" "$folder/public" "$into/gitea"
chmod -R u+w,go+rX "$into/gitea"
built
