"""The configuration of the nginx of ``pages serve``, in one file: the sites server as in the cluster, and the edge.

All paths are relative to the state directory, which is nginx's prefix and working directory. No path needs quotes
then, and the path of the socket stays below the system's limit of 108 bytes.
"""

import grp
import os
import pwd
from pathlib import Path
from textwrap import indent

SITES = "unix:nginx/sites.sock"
RULES = "rules.lua"


def shipped(name: str) -> str:
    """A file of ``deploy/nginx``, which an installed package has as ``cli/nginx``."""
    package = Path(__file__).parents[1]
    installed, checkout = package / "nginx", package.parent / "deploy" / "nginx"
    return ((installed if installed.is_dir() else checkout) / name).read_text()


def compose(servers: str, *, modules: str, live: str, workers: int) -> str:
    """The configuration: ``servers`` (http level) in front of the sites server, which serves the folder ``live``."""
    return f"""\
# Written by `pages serve`: edits are lost.
{modules}daemon off;
{_user()}pid nginx/nginx.pid;
error_log nginx/error.log notice;
worker_processes {workers};
worker_shutdown_timeout 10s;
pcre_jit on;

events {{
    worker_connections 1024;
}}

http {{
    client_body_temp_path nginx/body;
    proxy_temp_path nginx/proxy;
    fastcgi_temp_path nginx/fastcgi;
    uwsgi_temp_path nginx/uwsgi;
    scgi_temp_path nginx/scgi;
    access_log off;

    lua_package_path "nginx/?.lua;;";
    init_by_lua_block {{ pages_rules = require("rules").volume("{live}") }}
{indent(shipped("sites-http.conf"), "    ")}
    server {{
        listen {SITES};
{indent(shipped("mime.types") + shipped("sites-server.conf"), "        ")}    }}

{indent(servers, "    ")}
}}
"""


def _user() -> str:
    """Workers of root stay root, because the state directory may be readable for root only."""
    if os.geteuid() != 0:
        return ""
    return f"user {pwd.getpwuid(0).pw_name} {grp.getgrgid(os.getegid()).gr_name};\n"
