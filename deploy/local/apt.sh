#!/bin/sh
# Install a Debian package where that needs no question: as root, or where sudo asks nothing. Else fail without a word.
set -eu
as_root=
[ "$(id -u)" = 0 ] || as_root="sudo -n"
command -v apt-get >/dev/null && $as_root true 2>/dev/null || exit 1

echo "Installing $1 …" >&2
# A package such as nginx's would start a service of its own; a policy that refuses keeps it from doing so.
policy=/usr/sbin/policy-rc.d
if [ ! -e $policy ]; then
    printf '#!/bin/sh\nexit 101\n' | $as_root tee $policy >/dev/null
    $as_root chmod +x $policy
    trap '$as_root rm -f $policy' EXIT
fi
$as_root apt-get update -qq
$as_root env DEBIAN_FRONTEND=noninteractive apt-get install -qq --no-install-recommends "$1" >/dev/null
