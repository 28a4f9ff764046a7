#!/bin/sh
# Make a virtual environment: venv.sh PYTHON DIRECTORY. Debian keeps what that needs in a package of its own.
set -eu
"$1" -m venv "$2" 2>/dev/null && exit 0
rm -rf "$2"
sh "$(dirname "$0")/apt.sh" python3-venv && "$1" -m venv "$2" && exit 0
echo "Python's venv is needed and could not be installed from here: apt install python3-venv" >&2
exit 1
