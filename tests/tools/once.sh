# What each build.sh begins with: `name=PROGRAM`, then this. It goes on only where something is to be built, in the
# script's own folder, and $into is the folder that gets it; at its end `built` notes of what, in $into/$name.key.
#
# shellcheck shell=sh
[ $# = 1 ] || { echo "usage: $0 DIRECTORY" >&2; exit 2; }
mkdir -p "$1/bin"
into=$(cd "$1" && pwd)
if ! command -v go >/dev/null; then
    echo "Go is needed for $0: install it from go.dev/dl, or a package such as golang-go" >&2
    exit 1
fi
cd "$(dirname "$0")"
key=$(cat go.mod go.sum tools.go build.sh 2>/dev/null | cksum) # not each has all of these
if [ -f "$into/$name.key" ] && [ "$(cat "$into/$name.key")" = "$key" ]; then
    exit 0
fi
rm -f "$into/$name.key"

built() {
    echo "$key" > "$into/$name.key"
}
