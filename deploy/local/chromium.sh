#!/bin/sh
# Install Chromium with apt if that needs no password; otherwise say which tests are skipped.
set -eu
for name in chromium chromium-browser google-chrome; do
    command -v $name >/dev/null && exit 0
done
sh "$(dirname "$0")/apt.sh" chromium && exit 0
echo "Chromium was not found and could not be installed; the browser tests of the dashboard are skipped" >&2
