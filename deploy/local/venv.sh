#!/bin/sh
# Create a virtual environment. Usage: venv.sh PYTHON DIRECTORY. Debian has a separate package for venv.
set -eu
"$1" -m venv "$2" 2>/dev/null && exit 0
rm -rf "$2"
sh "$(dirname "$0")/apt.sh" python3-venv && "$1" -m venv "$2" && exit 0
echo "Python's venv module was not found and could not be installed; run: apt install python3-venv" >&2
exit 1
