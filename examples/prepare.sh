#!/bin/sh
# Create a bare git repository from each folder in repositories/, like those on a forge. Changes become a new commit.
set -eu
here=$(cd "$(dirname "$0")" && pwd)
mkdir -p "${1:?usage: prepare.sh DIRECTORY}"
target=$(cd "$1" && pwd)
export GIT_AUTHOR_NAME=Examples GIT_AUTHOR_EMAIL=examples@example.com
export GIT_COMMITTER_NAME=Examples GIT_COMMITTER_EMAIL=examples@example.com
for folder in "$here"/repositories/*/; do
    name=$(basename "$folder")
    export GIT_DIR="$target/$name.git" GIT_WORK_TREE="$folder"
    [ -d "$GIT_DIR" ] || git -c init.defaultBranch=main init --quiet
    git config core.bare false
    git add --all --force .
    git diff --cached --quiet 2>/dev/null || git commit --quiet --message "Publish $name"
done
