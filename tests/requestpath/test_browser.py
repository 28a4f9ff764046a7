"""A real browser on a single-page application through Traefik, with HTTPS, before and after a push."""

import base64
import hashlib
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime

import pytest
from cryptography import x509
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat
from playwright.sync_api import Browser, Error, Page

from pages.api import REQUESTED_AT
from tests.support import chromium
from tests.support.issuer import issue
from tests.support.request_path import RequestPath
from tests.support.serving import eventually

pytestmark = chromium.needed
DOMAIN = "app.example.net"
PAGE = """<!doctype html>
<html lang=en>
<link rel=icon href=data:,>
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
    """The application as a build tool emits it."""
    return {
        "200.html": PAGE.format(version=version),
        f"assets/app-{version}.js": SCRIPT.format(version=version),
        f"assets/app-{version}.css": "body { color: rgb(1, 2, 3) }\n" * 50,
        f"assets/part.{version}.mjs": f"export const version = '{version}'\n",
        f"assets/later.{version}.mjs": f"export const version = 'later {version}'\n",
        "module.wasm": b"\0asm\1\0\0\0",
    }


@contextmanager
def browsing(path: RequestPath, trusted: x509.Certificate) -> Iterator[Browser]:
    """A browser that resolves every name to Traefik, and trusts one certificate."""
    key = trusted.public_key().public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)
    with chromium.browser(
        f"--host-resolver-rules=MAP * 127.0.0.1:{path.traefik.websecure}",
        f"--ignore-certificate-errors-spki-list={base64.b64encode(hashlib.sha256(key).digest()).decode()}",
    ) as browser:
        yield browser


def said(page: Page) -> str:
    """The result of the application, after it has run."""
    page.wait_for_function("document.getElementById('said').textContent != 'no script'")
    return page.inner_text("#said")


def test_a_browser_runs_an_application_before_and_after_a_push(path: RequestPath) -> None:
    repository = path.git.repository("app")
    repository.commit(application("BxYz12_3"))
    path.site("one", "app", "app", domain=DOMAIN)
    path.settle()
    certificate = issue(path.cluster, "app-example-net-tls")
    eventually(lambda: path.shows(DOMAIN, "no script") and path.certificate(DOMAIN) == certificate)
    complaints: list[str] = []
    with browsing(path, certificate) as browser:
        page = browser.new_page()
        page.set_default_timeout(60_000)
        page.on("console", lambda message: complaints.append(message.text))
        page.on("pageerror", lambda error: complaints.append(str(error)))
        page.goto(f"https://{DOMAIN}/users/anna")
        assert said(page) == "/users/anna | BxYz12_3 | 404 | 0 | rgb(1, 2, 3)"

        repository.commit(dict.fromkeys(application("BxYz12_3")) | application("Cd34_eF5"))
        now = datetime.now(UTC).isoformat()
        path.cluster.kubectl("annotate", "staticsite", "app", "-n", "one", f"{REQUESTED_AT}={now}")
        eventually(lambda: path.shows(DOMAIN, "Cd34_eF5"))
        # The open page is from before the push, and so is the script that it loads only now.
        part = "import('/assets/later.BxYz12_3.mjs').then(module => module.version)"
        assert page.evaluate(part) == "later BxYz12_3"
        page.goto(f"https://{DOMAIN}/")
        assert said(page) == "/ | Cd34_eF5 | 404 | 0 | rgb(1, 2, 3)"
        assert ["404" in each for each in complaints] == [True, True], complaints  # only the two missing files

        with pytest.raises(Error, match="ERR_CERT_AUTHORITY_INVALID"):  # the browser does check certificates
            page.goto("https://nobody.example.net/")
