#!/bin/sh
# Make sure that there is an nginx: through apt where we are root (or sudo asks nothing), through brew on macOS;
# otherwise say what to install. Never asks a question.
set -eu
PATH=$PATH:/usr/sbin:/usr/local/sbin:/opt/homebrew/bin
if command -v nginx >/dev/null; then
    exit 0
fi

as_root=
[ "$(id -u)" = 0 ] || as_root="sudo -n"

if command -v apt-get >/dev/null && $as_root true 2>/dev/null; then
    echo "Installing nginx-light …" >&2
    # The package would start an nginx of its own on port 80; a policy that refuses keeps it from doing so.
    policy=/usr/sbin/policy-rc.d
    if [ ! -e $policy ]; then
        printf '#!/bin/sh\nexit 101\n' | $as_root tee $policy >/dev/null
        $as_root chmod +x $policy
        trap '$as_root rm -f $policy' EXIT
    fi
    $as_root apt-get update -qq
    DEBIAN_FRONTEND=noninteractive $as_root apt-get install -qq --no-install-recommends nginx-light >/dev/null
elif command -v brew >/dev/null; then
    brew install --quiet nginx
else
    echo "nginx is needed and could not be installed from here: install it" \
        "(Debian, Ubuntu: apt install nginx-light; Fedora: dnf install nginx; macOS: brew install nginx) and try again." >&2
    exit 1
fi
