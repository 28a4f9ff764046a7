#!/bin/sh
# Install a Debian package if that needs no password: as root, or with passwordless sudo. Otherwise fail silently.
set -eu
as_root=
[ "$(id -u)" = 0 ] || as_root="sudo -n"
command -v apt-get >/dev/null && $as_root true 2>/dev/null || exit 1

echo "Installing $1 …" >&2
# Some packages, such as nginx, start a service when installed. This policy prevents it.
policy=/usr/sbin/policy-rc.d
if [ ! -e $policy ]; then
    printf '#!/bin/sh\nexit 101\n' | $as_root tee $policy >/dev/null
    $as_root chmod +x $policy
    trap '$as_root rm -f $policy' EXIT
fi
$as_root apt-get update -qq
$as_root env DEBIAN_FRONTEND=noninteractive apt-get install -qq --no-install-recommends "$1" >/dev/null
