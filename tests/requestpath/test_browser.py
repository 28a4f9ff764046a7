"""A real browser on a single-page application through Traefik, with HTTPS, before and after a push."""

import shutil
import subprocess
from datetime import UTC, datetime
from pathlib import Path

import pytest

from pages.api import REQUESTED_AT
from tests.support.request_path import RequestPath
from tests.support.serving import eventually

DOMAIN = "app.example.net"
PAGE = """<!doctype html>
<html lang=en>
<link rel=stylesheet href=/assets/app-{version}.css>
<body><p id=said>no script</p>
<script type=module src=/assets/app-{version}.js></script>
"""
SCRIPT = """
import {{ version }} from './part.{version}.mjs'
const missing = await fetch('/assets/nothing.json')
const module = await WebAssembly.compileStreaming(fetch('/module.wasm'))
const color = getComputedStyle(document.body).color
document.getElementById('said').textContent =
  [location.pathname, version, missing.status, WebAssembly.Module.exports(module).length, color].join(' | ')
"""


def application(version: str) -> dict[str, str | bytes | None]:
    """What a build tool makes of it."""
    return {
        "200.html": PAGE.format(version=version),
        f"assets/app-{version}.js": SCRIPT.format(version=version),
        f"assets/app-{version}.css": "body { color: rgb(1, 2, 3) }\n" * 50,
        f"assets/part.{version}.mjs": f"export const version = '{version}'\n",
        "module.wasm": b"\0asm\1\0\0\0",
    }


def seen(path: RequestPath, folder: Path, where: str) -> str:
    """What the browser made of a page."""
    chromium = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")
    if not chromium:
        pytest.skip("there is no Chromium: install it (Debian: apt install chromium)")
    command = [
        *(chromium, "--headless", "--no-sandbox", "--disable-gpu", "--disable-dev-shm-usage", "--no-first-run"),
        *("--ignore-certificate-errors", "--disable-background-networking", f"--user-data-dir={folder}"),
        f"--host-resolver-rules=MAP * 127.0.0.1:{path.traefik.websecure}",
        *("--virtual-time-budget=5000", "--dump-dom", f"https://{DOMAIN}{where}"),
    ]
    return subprocess.run(command, capture_output=True, text=True, timeout=100, check=True).stdout


def test_a_browser_runs_an_application_before_and_after_a_push(path: RequestPath, tmp_path: Path) -> None:
    repository = path.git.repository("app")
    repository.commit(application("BxYz12_3"))
    path.site("one", "app", "app", domain=DOMAIN)
    path.settle()
    eventually(lambda: path.shows(DOMAIN, "no script"))
    assert "/users/anna | BxYz12_3 | 404 | 0 | rgb(1, 2, 3)" in seen(path, tmp_path, "/users/anna")
    repository.commit(dict.fromkeys(application("BxYz12_3")) | application("Cd34_eF5"))
    now = datetime.now(UTC).isoformat()
    path.cluster.kubectl("annotate", "staticsite", "app", "-n", "one", f"{REQUESTED_AT}={now}")
    eventually(lambda: path.shows(DOMAIN, "Cd34_eF5"))
    assert "/ | Cd34_eF5 | 404 | 0 | rgb(1, 2, 3)" in seen(path, tmp_path, "/")
    # What a page from before the push would load now.
    assert path.ask(DOMAIN, "/assets/part.BxYz12_3.mjs").text == "export const version = 'BxYz12_3'\n"
