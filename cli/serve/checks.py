"""Whether what `pages serve` needs on this machine is there."""

import re
import shutil
import subprocess
from urllib.parse import urlsplit

from cli.backends.local import Local
from cli.backends.visit import resolve, visit
from cli.diagnosis.facts import status
from cli.diagnosis.verdicts import Link, broken, ok, unknown, warning
from cli.serve.nginx import LuaNotFound, NginxError, find, lua

_OLDEST_GIT = (2, 39)
_SECONDS = 10


def examine(local: Local) -> list[Link]:
    """All checks."""
    return [_git(), _nginx(), _served(local), *_manifests(local), _port(local), _names()]


def _git() -> Link:
    found = shutil.which("git")
    if not found:
        return broken("git", "Missing", "git is not on the PATH", "install it (Debian, Ubuntu: apt install git)")
    said = subprocess.run(
        [found, "version"], capture_output=True, text=True, timeout=_SECONDS, check=False
    ).stdout.strip()
    version = re.search(r"(\d+)\.(\d+)", said)
    if not version or (int(version[1]), int(version[2])) < _OLDEST_GIT:
        return broken("git", "TooOld", f"{said}; 2.39 or newer is needed", "install a newer git")
    return ok("git", said)


def _nginx() -> Link:
    try:
        found = find()
        lua(found)
    except LuaNotFound as error:
        return broken(
            "nginx", "LuaMissing", str(error), "install it (Debian, Ubuntu: apt install libnginx-mod-http-lua)"
        )
    except NginxError as error:
        return broken("nginx", "Missing", str(error), "install it (Debian, Ubuntu: apt install nginx-light)")
    said = subprocess.run([found, "-v"], capture_output=True, text=True, timeout=_SECONDS, check=False).stderr.strip()
    return ok("nginx", f"{found}: {said}")


def _served(local: Local) -> Link:
    if local.api():
        return ok("pages serve", f"{local.where} is running")
    return broken("pages serve", "NotRunning", f"{local.where} is not running", "start it: pages serve …")


def _manifests(local: Local) -> list[Link]:
    if local.is_whole():
        return [ok("Manifests", f"{len(local.sites(None))} sites, no mistakes")]
    problems = [each for each in local.notes() if "is not running" not in each]
    return [broken("Manifests", "Mistake", each, "mend this line") for each in problems]


def _port(local: Local) -> Link:
    """Whether nginx answers where the sites' URLs say."""
    urls = [url for site in local.sites(None) if (url := status(site).get("url"))]
    if not urls:
        return unknown("Port", "no site has a URL yet")
    answer = visit(urls[0], "127.0.0.1")
    port = urlsplit(urls[0]).port or 80
    if answer.problem:
        return broken(
            "Port",
            "NoAnswer",
            f"127.0.0.1:{port}: {answer.detail}",
            "see that `pages serve` runs at this --port and --address",
        )
    return ok("Port", f"127.0.0.1:{port} answers")


def _names() -> Link:
    name = "pages-doctor.pages.localhost"
    if found := resolve(name):
        return ok("DNS", f"*.pages.localhost leads to {', '.join(found)}")
    remedy = "browsers know these names; for other programs name the host: curl -H 'Host: NAME.pages.localhost' http://localhost:8080/"
    return warning("DNS", "LocalNames", "this machine's resolver knows no names below pages.localhost", remedy)
