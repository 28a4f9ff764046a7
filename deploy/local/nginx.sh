#!/bin/sh
# Make sure that there is an nginx: through apt or brew where that needs no question; otherwise say what to install.
set -eu
PATH=$PATH:/usr/sbin:/usr/local/sbin:/opt/homebrew/bin
command -v nginx >/dev/null && exit 0
sh "$(dirname "$0")/apt.sh" nginx-light && exit 0
command -v brew >/dev/null && brew install --quiet nginx && exit 0
echo "nginx is needed and could not be installed from here: install it" \
    "(Debian, Ubuntu: apt install nginx-light; Fedora: dnf install nginx; macOS: brew install nginx) and try again." >&2
exit 1
