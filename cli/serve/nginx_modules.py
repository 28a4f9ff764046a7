"""What nginx needs besides itself: Lua, in which rules are evaluated. Debian has it as modules, OpenResty built in."""

import re
import subprocess
from pathlib import Path

_MODULES = ("ndk_http_module.so", "ngx_http_lua_module.so")
_BUILT_IN = re.compile(r"--add-module=\S*(?:ngx_lua|lua-nginx-module)")
_PATH = re.compile(r"--modules-path=(\S+)")
# What a log says where a library of Lua's is missing: rules.lua of its own, nginx of the one that it needs itself.
_LIBRARY = re.compile(r"nginx's Lua needs [^\n]*|failed to load the 'resty\.core' module")
INSTALL = (
    "run `apt-get install libnginx-mod-http-lua lua-cjson lua-resty-core lua-resty-lrucache` (Debian, Ubuntu) "
    "or `brew install openresty/brew/openresty` (macOS)"
)


def load(binary: Path) -> str | None:
    """The lines of a configuration that load Lua, none where it is built in; None where this nginx has no Lua."""
    done = subprocess.run([binary, "-V"], capture_output=True, text=True, check=False, timeout=60)
    options = done.stderr + done.stdout
    if _BUILT_IN.search(options):
        return ""
    path = _PATH.search(options)
    files = [Path(path[1]) / each for each in _MODULES] if path else []
    if not files or not all(each.is_file() for each in files):
        return None
    return "".join(f"load_module {each};\n" for each in files)


def lacks_library(log: str) -> bool:
    """Whether nginx ended because a library of Lua's is not there."""
    return bool(_LIBRARY.search(log))
