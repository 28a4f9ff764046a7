"""Protected sites at a real nginx: closed to visitors who are not in the password file."""

import base64
import hashlib
import subprocess

import pytest

from tests.nginx.conftest import Sites

PASSWORD = "pass word"
SHA = "{SHA}" + base64.b64encode(hashlib.sha1(PASSWORD.encode()).digest()).decode()  # noqa: S324 - the format of htpasswd
BCRYPT = "$2y$05$abcdefghijklmnopqrstuuIt/9/tGzLcigNq/.RWIDjeEVR30RSf."


def basic(user: str, password: str = PASSWORD) -> str:
    return "Basic " + base64.b64encode(f"{user}:{password}".encode()).decode()


def users(sites: Sites, site: str, text: str) -> None:
    sites.release(site, {"index.html": "internal", "404.html": "internal too"})
    (sites.root / "releases" / site / "users").write_text(text)


def asked(site: str, **headers: str) -> dict[str, str]:
    """The headers that Traefik sends for a protected site."""
    return {"X-Pages-Site": site, "X-Pages-Auth": "required", **headers}


@pytest.mark.parametrize("kind", ["sha", "apr1", "bcrypt"])
def test_only_visitors_with_the_password_get_in(sites: Sites, kind: str) -> None:
    apr1 = subprocess.check_output(["openssl", "passwd", "-apr1", PASSWORD], text=True).strip()
    hashed = {"sha": SHA, "apr1": apr1, "bcrypt": BCRYPT}[kind]
    site = f"guarded/{kind}"
    users(sites, site, f"other:{SHA}x\nann:{hashed}\n")
    page = f"/{site}/"
    assert sites.ask(page, **asked(site, Authorization=basic("ann"))).body == b"internal"
    for refused in (
        {},
        {"Authorization": basic("ann", "wrong")},
        {"Authorization": basic("bob")},
        {"Authorization": "x"},
    ):
        answer = sites.ask(page, **asked(site, **refused))
        assert answer.status == 401
        assert b"internal" not in answer.body
    assert sites.ask(f"{page}nope", **asked(site)).status == 401
    assert sites.ask(f"{page}nope", **asked(site, Authorization=basic("ann"))).body == b"internal too"


@pytest.mark.parametrize("path", ["", "nope", "404.html", "index.html", "?x"])
def test_a_site_without_a_password_file_is_closed(sites: Sites, path: str) -> None:
    sites.release("guarded/closed", {"index.html": "internal", "404.html": "internal too"})
    for headers in ({}, {"Authorization": basic("ann")}):
        answer = sites.ask(f"/guarded/closed/{path}", **asked("guarded/closed", **headers))
        assert answer.status in {401, 403, 404}
        assert b"internal" not in answer.body


@pytest.mark.parametrize("word", ["required", "no", "off", "0", "{}"])
def test_any_value_of_the_auth_header_closes_the_site(sites: Sites, word: str) -> None:
    sites.release("guarded/word", {"index.html": "internal"})
    answer = sites.ask("/guarded/word/", **{"X-Pages-Site": "guarded/word", "X-Pages-Auth": word})
    assert answer.status in {401, 403, 404}


@pytest.mark.parametrize(
    "path", ["/guarded/leak/users", "/guarded/leak/../users", "/guarded/users", "/guarded/leak/..%2fusers", "/users"]
)
def test_no_url_leads_to_the_passwords(sites: Sites, path: str) -> None:
    users(sites, "guarded/leak", f"ann:{SHA}\n")
    answer = sites.ask(path)
    assert answer.status in {400, 404}
    assert b"ann:" not in answer.body
