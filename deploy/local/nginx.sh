#!/bin/sh
# Install nginx with apt or brew if that needs no password; otherwise say how to install it.
set -eu
PATH=$PATH:/usr/sbin:/usr/local/sbin:/opt/homebrew/bin
command -v nginx >/dev/null && exit 0
sh "$(dirname "$0")/apt.sh" nginx-light && exit 0
command -v brew >/dev/null && brew install --quiet nginx && exit 0
echo "nginx was not found and could not be installed; install it" \
    "(Debian, Ubuntu: apt install nginx-light; Fedora: dnf install nginx; macOS: brew install nginx) and try again." >&2
exit 1
