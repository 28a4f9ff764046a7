#!/bin/sh
# Make sure that there is a Chromium: through apt where that needs no question; otherwise say what is left out without.
set -eu
for name in chromium chromium-browser google-chrome; do
    command -v $name >/dev/null && exit 0
done
sh "$(dirname "$0")/apt.sh" chromium && exit 0
echo "There is no Chromium, and none could be installed from here: the tests of the dashboard in a browser are left out" >&2
