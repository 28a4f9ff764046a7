#!/bin/sh
# Install nginx with its Lua module with apt or brew if that needs no password; otherwise say how to install it.
set -eu
PATH=$PATH:/usr/sbin:/usr/local/sbin:/usr/local/openresty/nginx/sbin:/opt/homebrew/opt/openresty/nginx/sbin:/opt/homebrew/bin
PACKAGES="libnginx-mod-http-lua lua-cjson lua-resty-core lua-resty-lrucache"

has_lua() {
    command -v nginx >/dev/null || return 1
    options=$(nginx -V 2>&1)
    case $options in *ngx_lua*|*lua-nginx-module*) return 0 ;; esac
    modules=$(printf '%s' "$options" | sed -n 's/.*--modules-path=\([^ ]*\).*/\1/p')
    [ -f "$modules/ngx_http_lua_module.so" ] && [ -d /usr/share/lua/5.1/resty ] && ls /usr/lib/*/lua/5.1/cjson.so >/dev/null 2>&1
}

has_lua && exit 0
apt="$(dirname "$0")/apt.sh"
{ command -v nginx >/dev/null || sh "$apt" nginx-light; } && for package in $PACKAGES; do sh "$apt" $package || break; done
has_lua && exit 0
command -v brew >/dev/null && brew install --quiet openresty/brew/openresty && exit 0
echo "nginx with its Lua module was not found and could not be installed; install it (Debian, Ubuntu:" \
    "apt install nginx-light $PACKAGES; macOS: brew install openresty/brew/openresty) and try again." >&2
exit 1
