"""Whether this machine has what `pages serve` needs: git, nginx, and a resolver for local names."""

import re
import shutil
import subprocess

from cli.backends.visit import resolve
from cli.diagnosis.verdicts import Verdict, broken, ok, warning
from cli.serve.nginx import LuaNotFound, NginxError, find, lua

_OLDEST_GIT = (2, 39)
_SECONDS = 10
_LOCAL_NAME = "pages-doctor.pages.localhost"


def git() -> Verdict:
    """Whether git is installed, in a version that we support."""
    path = shutil.which("git")
    if not path:
        return broken("git", "Missing", "git is not on the PATH", "install it (Debian, Ubuntu: apt install git)")
    output = _run(path, "version").stdout.strip()
    version = re.search(r"(\d+)\.(\d+)", output)
    if not version or (int(version[1]), int(version[2])) < _OLDEST_GIT:
        return broken("git", "TooOld", f"{output}; 2.39 or newer is required", "install a newer git")
    return ok("git", output)


def nginx() -> Verdict:
    """Whether nginx is installed."""
    try:
        path = find()
        lua(path)
    except LuaNotFound as error:
        return broken(
            "nginx", "LuaMissing", str(error), "install it (Debian, Ubuntu: apt install libnginx-mod-http-lua)"
        )
    except NginxError as error:
        return broken("nginx", "Missing", str(error), "install it (Debian, Ubuntu: apt install nginx-light)")
    return ok("nginx", f"{path}: {_run(str(path), '-v').stderr.strip()}")


def local_names() -> Verdict:
    """Whether this machine resolves the names of the sites."""
    if addresses := resolve(_LOCAL_NAME):
        return ok("DNS", f"*.pages.localhost points to {', '.join(addresses)}")
    remedy = (
        "browsers resolve these names themselves; for other programs set the Host header: "
        "curl -H 'Host: NAME.pages.localhost' http://localhost:8080/"
    )
    return warning("DNS", "LocalNames", "this machine does not resolve names below pages.localhost", remedy)


def _run(*command: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(command, capture_output=True, text=True, timeout=_SECONDS, check=False)
