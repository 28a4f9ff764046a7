"""What a tenant writes into spec.repo: nothing but http(s) to a server on the operator's list (U1-U7, U12)."""

import re
from pathlib import Path
from typing import Any
from urllib.parse import unquote, urlsplit

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError

from pages import validation
from pages.api import canonical_repo
from syncer import errors
from syncer.egress.hosts import AllowedHosts
from syncer.git.commands import Git
from syncer.git.remote import Remote
from tests.support.bench import Bench
from tests.support.git_server import GitServer
from tests.support.objects import parsed_site
from tests.support.recorder import GitRecorder

HELPERS_AND_FILES = [
    "ext::sh -c 'touch {canary}'",
    "fd::7",
    "foo::x",
    "file:///etc",
    "/etc",
    "../x",
    "ssh://-oProxyCommand=touch${{IFS}}{canary}/x",
    "ssh://git@127.0.0.1/x",
    "git@127.0.0.1:x",
    "git://127.0.0.1/x",
    "ftp://127.0.0.1/x",
]
OPTIONS = ["--upload-pack=touch {canary}", "-c core.sshCommand=touch {canary}", "--output={canary}", "-u touch"]


def refused(**spec: Any) -> str:
    with pytest.raises(ValidationError) as raised:
        parsed_site(**spec)
    return str(raised.value)


@pytest.mark.parametrize("template", HELPERS_AND_FILES)
def test_u1_no_transport_but_http_is_written_or_spoken(git: Git, bare: Path, tmp_path: Path, template: str) -> None:
    canary = tmp_path / "canary"
    repo = template.format(canary=canary)
    assert "https://" in refused(repo=repo)
    with pytest.raises(errors.SyncError):
        git.ref_head(Remote(repo), "refs/heads/main")
    with pytest.raises(errors.SyncError):
        git.fetch(bare, Remote(repo), "refs/heads/main", "refs/pages/head")
    assert not canary.exists()


def test_u1_a_repository_that_is_not_allowed_starts_no_git(
    recorder: GitRecorder, bench: Bench, git_server: GitServer
) -> None:
    git_server.repository().commit({"index.html": "x"})
    bench.hosts = "forge.example.com"
    assert bench.reason(parsed_site(repo=git_server.url())) == "HostNotAllowed"
    assert [command for command in recorder.commands if git_server.origin in command] == []
    assert git_server.requests == []


def test_u2_git_is_told_where_its_options_end(recorder: GitRecorder, bench: Bench, git_server: GitServer) -> None:
    git_server.repository().commit({"index.html": "x"})
    git_server.speak_no_protocol_2("site", 404)  # else git is not asked
    bench.sync(parsed_site(repo=git_server.url()))
    asked = [command for command in recorder.commands if git_server.origin in command]
    assert any("fetch" in command for command in asked)
    for command in asked:
        assert f"--end-of-options {git_server.url()} " in command


@pytest.mark.parametrize("template", OPTIONS)
def test_u2_an_option_in_disguise_stays_a_name(
    git: Git, git_server: GitServer, bare: Path, tmp_path: Path, template: str
) -> None:
    git_server.repository().commit({"a": "1"})
    canary = tmp_path / "canary"
    disguised = template.format(canary=canary)
    refused(repo=disguised)
    refused(branch=disguised)
    for remote, branch in ((Remote(git_server.url()), disguised), (Remote(disguised), "main")):
        with pytest.raises(errors.SyncError):
            git.ref_head(remote, f"refs/heads/{branch}")
        with pytest.raises(errors.SyncError):
            git.fetch(bare, remote, f"refs/heads/{branch}", "refs/pages/head")
    with pytest.raises(errors.SyncError):
        git.default_branch(Remote(disguised))
    assert not canary.exists()


@pytest.mark.parametrize(
    "repo",
    [
        "https://user:token@forge.example.com/r.git",
        "https://user@forge.example.com/r.git",
        "https://github.com@evil.test/r",
        "https://github.com:443@evil.test/r",
        "https://:@evil.test/r",
    ],
)
def test_u3_credentials_and_what_looks_like_a_host_before_one_are_refused(repo: str) -> None:
    assert "secretRef" in refused(repo=repo)


def test_u3_git_dies_of_credentials_in_a_url(git: Git, git_server: GitServer, bare: Path) -> None:
    """Should one ever get so far."""
    git_server.repository().commit({"a": "1"})
    url = git_server.url().replace("http://", "http://tess:s3cret@")
    with pytest.raises(errors.SyncError):
        git.fetch(bare, Remote(url), "refs/heads/main", "refs/pages/head")
    assert set(git_server.authorizations) <= {None}


@pytest.mark.parametrize(
    "repo",
    [
        "https://github.com\t.evil.test/r",
        "https://github.com\n.evil.test/r",
        "https://github.com\r.evil.test/r",
        " https://forge.example.com/r",
        "https://forge.example.com/r\n",
        "https://evil.test\\@github.com/r",
        "https://evil.test/#@github.com",
        "https://evil.test/?@github.com",
        "https:///evil/r",
        "https:forge.example.com/r",
        "https://forge.example.com:/r",
        "https://forge.example.com:99999/r",
        "https://forge%2eexample.com/r",
        "https://forge.example.com%2f.evil.test/r",
        "HTTPS://forge.example.com/r",
    ],
)
def test_u4_what_two_parsers_could_read_differently_is_refused(repo: str) -> None:
    refused(repo=repo)


@given(st.from_regex(r"https?://[!-~\t\n ]{1,40}", fullmatch=True) | st.text(max_size=60))
def test_u4_what_is_accepted_means_the_same_to_everybody(text: str) -> None:
    try:
        canonical = canonical_repo(validation.repo(text))
    except ValueError:
        return
    assert canonical_repo(validation.repo(canonical)) == canonical
    assert re.fullmatch(r"https?://[a-z0-9.-]+(:[0-9]+)?/[!-~]+", canonical)
    parts = urlsplit(canonical)
    assert canonical == f"{parts.scheme}://{parts.netloc}{parts.path}"
    assert unquote(parts.path).isprintable() or not unquote(parts.path).isascii()


@pytest.mark.parametrize(
    "host",
    ["2852039166", "0x7f000001", "0177.0.0.1", "127.1", "0", "127.0.0.1.", "[::1]", "[::ffff:a9fe:a9fe]", "0x7f.1"],
)
def test_u5_no_spelling_of_an_address_passes_for_a_name(host: str) -> None:
    hosts = AllowedHosts.parse("*.example.com, forge.example.com, http://127.0.0.1, https://127.0.0.1")
    for scheme in ("http", "https"):
        with pytest.raises((ValueError, errors.HostNotAllowed)):
            hosts.check(canonical_repo(validation.repo(f"{scheme}://{host}/r")))
    with pytest.raises(ValueError, match=re.escape(host)):
        AllowedHosts.parse(host)


@pytest.mark.parametrize("host", ["GitHub.com", "github.COM"])
def test_u6_case_makes_no_difference(host: str) -> None:
    for entry in (host, "github.com", f"https://{host}"):
        AllowedHosts.parse(entry).check(canonical_repo(validation.repo(f"https://{host}/r")))


@pytest.mark.parametrize(
    "host", ["github.com.", "g\u0131thub.com", "\u24d6ithub.com", "github\u3002com", "xn--gthub-n4a.com", "-github.com"]
)
def test_u6_what_only_looks_like_the_name_is_another(host: str) -> None:
    with pytest.raises((ValueError, errors.HostNotAllowed)):
        AllowedHosts.parse("github.com, *.github.com").check(canonical_repo(validation.repo(f"https://{host}/r")))


@pytest.mark.parametrize(
    ("entry", "url"),
    [
        ("*.example.com", "https://evilexample.com/r"),
        ("*.example.com", "https://example.com/r"),
        ("*.example.com", "https://a.example.com.evil.test/r"),
        ("example.com", "https://example.com.evil.test/r"),
        ("example.com", "https://a.example.com/r"),
        ("github.com", "https://github.com:6443/r"),
        ("github.com:6443", "https://github.com/r"),
        ("github.com", "http://github.com/r"),
    ],
)
def test_u7_an_entry_covers_what_it_says_and_nothing_beside(entry: str, url: str) -> None:
    with pytest.raises(errors.HostNotAllowed):
        AllowedHosts.parse(entry).check(url)


@pytest.mark.parametrize("escape", ["%00", "%0a", "%0A", "%0d", "%1b", "%7f", "%2f", "%2e%2e", "%5c", "%", "%zz"])
def test_u12_control_characters_are_refused_however_they_are_written(escape: str) -> None:
    refused(repo=f"https://forge.example.com/team/{escape}site")
    refused(repo=f"https://forge.example.com{escape}/team/site")


@pytest.mark.parametrize("char", ["\0", "\n", "\r", "\x1b", "\x7f", "\x85", "\u2028"])
def test_u12_control_characters_are_refused_as_they_are(char: str) -> None:
    refused(repo=f"https://forge.example.com/team/{char}site")
    refused(repo=f"https://forge.example.com/team/site{char}")
