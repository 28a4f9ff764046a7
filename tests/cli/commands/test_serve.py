"""The main job: `pages serve` as a newcomer runs it, with a real git server and nginx, and what goes wrong."""

import os
import shutil
import signal
import socket
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml

from tests.support.git_server import GitServer
from tests.support.objects import static_site
from tests.support.raw_http import ask
from tests.support.repositories import Repository
from tests.support.serving import Serving, eventually, pages, processes_of

EXAMPLES = Path(__file__).parents[3] / "examples"


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    made = tmp_path / "manifests"
    made.mkdir()
    return made


@pytest.fixture
def state(tmp_path: Path) -> Path:
    return tmp_path / "state"


def write(path: Path, *objects: dict[str, Any]) -> None:
    path.write_text(yaml.safe_dump_all(objects))


def test_sites_are_published_edited_added_and_removed(folder: Path, state: Path, git_server: GitServer) -> None:
    git_server.repository("one").commit(
        {"index.html": "number one", "docs/index.html": "docs of one", "docs/about.html": "about one " * 200}
    )
    git_server.repository("two").commit({"index.html": "number two"})
    write(folder / "one.yaml", static_site("one", repo=git_server.url("one")))
    with Serving(state, [folder, "--allowed-hosts", git_server.origin]) as serving:
        eventually(lambda: serving.shows("one.pages.localhost", "number one"))
        eventually(lambda: serving.says(f"http://one.pages.localhost:{serving.port}/"))
        # Added: a custom domain with a path, beside a root.
        write(
            folder / "two.yaml",
            static_site("two", repo=git_server.url("two"), domain="Example.com"),
            static_site("two-docs", repo=git_server.url("one"), domain="example.com", pathPrefix="/d", path="/docs"),
        )
        eventually(lambda: serving.shows("example.com", "number two"))
        eventually(lambda: serving.shows("example.com", "docs of one", "/d/"))
        assert serving.get("example.com", "/d")[2]["Location"] == "/d/"
        assert serving.get("example.com", "/dother")[0] == 404
        assert serving.get("example.com", "/d/about")[1].startswith("about one")
        assert serving.get("example.com", "/d/about/")[2]["Location"] == "/d/about"
        packed = serving.get("example.com", "/d/about", **{"Accept-Encoding": "gzip"})[2]
        assert packed["Content-Encoding"] == "gzip"
        assert "Content-Length" in packed  # made by the syncer, not on the fly
        # Edited.
        write(folder / "one.yaml", static_site("one", repo=git_server.url("one"), path="/docs"))
        eventually(lambda: serving.shows("one.pages.localhost", "docs of one"))
        # Removed.
        (folder / "one.yaml").unlink()
        eventually(lambda: serving.get("one.pages.localhost")[0] == 404)
        assert serving.shows("example.com", "number two")
        assert set(serving.statuses()) == {"team/two", "team/two-docs"}


def test_what_a_visitor_sends_never_leaves_the_site(folder: Path, state: Path, git_server: GitServer) -> None:
    git_server.repository("victim").commit(
        {"index.html": "victim", "docs/index.html": "docs", "a b/index.html": "spaced"}
    )
    git_server.repository("attacker").commit({"evil.html": "evil"})
    write(
        folder / "sites.yaml",
        static_site("victim", repo=git_server.url("victim"), domain="victim.example", pathPrefix="/p"),
        static_site("attacker", repo=git_server.url("attacker")),
    )
    with Serving(state, [folder, "--allowed-hosts", git_server.origin]) as serving:
        eventually(lambda: serving.shows("victim.example", "victim", "/p/"))
        eventually(lambda: serving.shows("attacker.pages.localhost", "evil", "/evil.html"))
        for path in ("/p/..%2fattacker/evil.html", "/p/../attacker/evil.html", "/p/%2e%2e/attacker/evil.html"):
            answer = ask(serving.port, f"GET {path} HTTP/1.1", Host="victim.example")
            assert answer.status in {400, 404}, path
            assert b"evil" not in answer.body
        spoofed = {"X_Pages_Site": "team/attacker", "X_Pages_Prefix": "/evil", "X_Forwarded_Prefix": "/evil"}
        answer = ask(serving.port, "GET /p/docs?a=%2f HTTP/1.1", Host="victim.example", **spoofed)
        assert (answer.status, answer.headers["location"]) == (301, "/p/docs/?a=%2f")
        assert ask(serving.port, "GET /p/a%20b HTTP/1.1", Host="victim.example").headers["location"] == "/p/a%20b/"
        assert ask(serving.port, "GET /p/a%20b/ HTTP/1.1", Host="victim.example").body == b"spaced"
        assert ask(serving.port, "GET /pother HTTP/1.1", Host="victim.example").status == 404
        assert ask(serving.port, "POST /p/ HTTP/1.1", Host="victim.example", Content_Length="0").status == 405
        assert ask(serving.port, "GET / HTTP/1.1", Host="stranger.example").status == 404


@pytest.mark.parametrize("named", ["manifests", "manifests/one.yaml", "link"])
def test_edits_are_followed_however_the_manifests_are_named(
    folder: Path, state: Path, git_server: GitServer, named: str
) -> None:
    git_server.repository("one").commit({"index.html": "before", "docs/index.html": "after"})
    write(folder / "one.yaml", static_site("one", repo=git_server.url("one")))
    (folder.parent / "link").symlink_to("manifests")
    with Serving(state, [named, "--allowed-hosts", git_server.origin], cwd=folder.parent) as serving:
        eventually(lambda: serving.shows("one.pages.localhost", "before"))
        write(folder / "new.tmp", static_site("one", repo=git_server.url("one"), path="/docs"))
        (folder / "new.tmp").replace(folder / "one.yaml")  # as editors do
        eventually(lambda: serving.shows("one.pages.localhost", "after"))


def test_a_restart_serves_at_once_and_fetches_nothing(folder: Path, state: Path, git_server: GitServer) -> None:
    git_server.repository("one").commit({"index.html": "still here"})
    write(folder / "one.yaml", static_site("one", repo=git_server.url("one")))
    with Serving(state, [folder, "--allowed-hosts", git_server.origin]) as serving:
        eventually(lambda: serving.shows("one.pages.localhost", "still here"))
        etag = serving.get("one.pages.localhost")[2]["ETag"]
        uid = site_uid(state)
    git_server.requests.clear()
    with Serving(state, [folder, "--allowed-hosts", git_server.origin]) as serving:
        assert serving.get("one.pages.localhost")[2]["ETag"] == etag
        eventually(lambda: git_server.requests)
        eventually(lambda: serving.says("Following"))
        assert len([each for each in git_server.requests if each.startswith("POST")]) == 1  # the refs, no pack
        assert site_uid(state) == uid
    git_server.fail("one", 500)
    with Serving(state, [folder, "--allowed-hosts", git_server.origin]) as serving:
        assert serving.shows("one.pages.localhost", "still here")


def site_uid(state: Path) -> str:
    done = pages("status", "--state", state, "team/one", "-o", "yaml")
    return str(yaml.safe_load(done.stdout)["metadata"]["uid"])


def test_pushes_are_followed(folder: Path, state: Path, git_server: GitServer) -> None:
    repository = git_server.repository("one")
    repository.commit({"index.html": "before"})
    write(folder / "one.yaml", static_site("one", repo=git_server.url("one")))
    with Serving(state, [folder, "--allowed-hosts", git_server.origin, "--sync-interval", "10s"]) as serving:
        eventually(lambda: serving.shows("one.pages.localhost", "before"))
        repository.commit({"index.html": "after"})
        eventually(lambda: serving.shows("one.pages.localhost", "after"))


def test_one_repository_without_a_manifest(state: Path, git_server: GitServer) -> None:
    git_server.repository("My_Site").commit({"public/index.html": "just this"}, branch="trunk")
    (git_server.root / "My_Site.git/HEAD").write_text("ref: refs/heads/trunk\n")
    with Serving(state, ["--repo", git_server.url("My_Site"), "--path", "/public"]) as serving:
        eventually(lambda: serving.shows("my-site.pages.localhost", "just this"))
    git_server.fail("My_Site", 500)
    with Serving(state, ["--repo", git_server.url("My_Site"), "--path", "/public"]) as serving:
        assert serving.shows("my-site.pages.localhost", "just this")


def test_a_folder_of_this_machine_where_it_is_allowed(state: Path, tmp_path: Path) -> None:
    repository = Repository(tmp_path / "here")
    repository.commit({"index.html": "my draft"})
    refused = pages("serve", "--repo", tmp_path / "here", "--state", state)
    assert refused.returncode == 2
    assert "--allow-local" in refused.stderr
    with Serving(state, ["--repo", "here", "--allow-local"], cwd=tmp_path) as serving:
        eventually(lambda: serving.shows("here.pages.localhost", "my draft"))
        repository.commit({"index.html": "my second thought"})
        eventually(lambda: serving.shows("here.pages.localhost", "my second thought"))


def test_a_platform_and_secrets_among_the_manifests(folder: Path, state: Path, git_server: GitServer) -> None:
    git_server.repository("one").commit({"index.html": "private page"})
    git_server.require("one", "robot", "t0ken-canary")
    write(
        folder / "platform.yaml",
        {
            "apiVersion": "pages.kup6s.com/v1beta1",
            "kind": "Platform",
            "metadata": {"name": "platform", "namespace": "kup6s-pages"},
            "spec": {
                "pagesDomain": "pages.example.org",
                "tls": {"issuerRef": {"name": "letsencrypt"}},
                "ingress": {"redirectHTTP": True},
                "reservedDomains": ["taken.example.com"],
            },
        },
    )
    write(
        folder / "sites.yaml",
        {
            "apiVersion": "v1",
            "kind": "Secret",
            "metadata": {"name": "forge", "namespace": "team"},
            "stringData": {"username": "robot", "password": "t0ken-canary"},
        },
        static_site("one", repo=git_server.url("one"), secretRef={"name": "forge"}),
        static_site("no", repo=git_server.url("one"), domain="taken.example.com"),
    )
    with Serving(state, [folder, "--allowed-hosts", git_server.origin]) as serving:
        eventually(lambda: serving.shows("one.pages.example.org", "private page"))
        assert serving.shows("one.pages.localhost", "private page")
        assert serving.says("DomainReserved")
        eventually(lambda: serving.statuses()["team/no"].get("phase") == "Error")
    everything = b"".join(path.read_bytes() for path in state.rglob("*") if path.is_file())
    assert b"t0ken-canary" not in everything + serving.output.encode()


@pytest.mark.parametrize(
    ("prepare", "spec", "reason"),
    [
        ("branch", {}, "BranchNotFound"),
        ("empty", {}, "EmptyRepo"),
        ("", {"path": "/nope"}, "SubpathNotFound"),
        ("", {"path": "/file"}, "NotADirectory"),
        ("", {"repo": "http://127.0.0.1:1/x.git"}, "Unreachable"),
        ("", {"repo": "https://elsewhere.example.com/x.git"}, "HostNotAllowed"),
        ("auth", {}, "AuthFailed"),
        ("", {"secretRef": {"name": "missing"}}, "SecretMissing"),
        ("", {"secretRef": {"name": "empty"}}, "SecretMissing"),
    ],
)
def test_what_keeps_a_site_from_being_published_is_said_and_harms_no_other(
    folder: Path, state: Path, git_server: GitServer, prepare: str, spec: dict[str, Any], reason: str
) -> None:
    bad = git_server.repository("bad")
    if prepare != "empty":
        bad.commit({"index.html": "x", "file": "a file"}, branch="other" if prepare == "branch" else "main")
    if prepare == "auth":
        git_server.require("bad", "somebody", "else")
    git_server.repository("good").commit({"index.html": "all is well"})
    secret = {
        "apiVersion": "v1",
        "kind": "Secret",
        "metadata": {"name": "empty", "namespace": "team"},
        "stringData": {},
    }
    write(
        folder / "sites.yaml",
        secret,
        static_site("bad", repo=git_server.url("bad")) | {"spec": {"repo": git_server.url("bad")} | spec},
        static_site("good", repo=git_server.url("good")),
    )
    hosts = f"{git_server.origin},http://127.0.0.1:1"
    with Serving(state, [folder, "--allowed-hosts", hosts]) as serving:
        eventually(lambda: serving.shows("good.pages.localhost", "all is well"))
        eventually(lambda: serving.synced("team/bad")[0] == reason)
        assert serving.synced("team/bad")[1]
        eventually(lambda: serving.says(reason))
        assert pages("status", "--state", state).returncode == 1


@pytest.mark.parametrize(
    ("at", "asked"), [(b"", "POST"), (b"command=fetch", "POST"), (None, "GET")], ids=["asked", "fetched from", "by git"]
)
def test_f4_a_hanging_server_does_not_keep_it_from_stopping(
    folder: Path, state: Path, git_server: GitServer, at: bytes | None, asked: str
) -> None:
    """F4: no child is left, and it ends well."""
    git_server.repository("slow").commit({"index.html": "x"})
    if at is None:
        git_server.speak_no_protocol_2("slow", 404)
        git_server.hang("slow", b"", method="GET")
    else:
        git_server.hang("slow", at)
    write(folder / "sites.yaml", static_site("slow", repo=git_server.url("slow")))
    with Serving(state, [folder, "--allowed-hosts", git_server.origin]) as serving:
        eventually(lambda: [each for each in git_server.requests if each.startswith(asked)])
        eventually(lambda: git_server.hanging)
        serving.stop(signal.SIGTERM)


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("a: [1", "is not YAML"),
        (
            yaml.safe_dump(static_site("bad", repo="https://forge.example.com/x", brnch="y")),
            "spec.brnch is not a known field; did you mean branch?",
        ),
        (yaml.safe_dump(static_site("bad", repo="ftp://x")), "StaticSite team/bad: spec.repo must be"),
        (yaml.safe_dump(static_site("good", repo="https://forge.example.com/x")), "is already defined in"),
    ],
)
def test_a_mistake_in_a_manifest_is_named_by_file_and_line_and_harms_no_other(
    folder: Path, state: Path, git_server: GitServer, text: str, says: str
) -> None:
    git_server.repository("good").commit({"index.html": "all is well"})
    write(folder / "a-good.yaml", static_site("good", repo=git_server.url("good")))
    (folder / "bad.yaml").write_text(text)
    with Serving(state, [folder, "--allowed-hosts", git_server.origin]) as serving:
        eventually(lambda: serving.shows("good.pages.localhost", "all is well"))
        assert serving.says(says)
        assert serving.says(f"{folder}/bad.yaml:")
        shown = pages("status", "--state", state)
        assert says in shown.stderr
        assert shown.returncode == 1


def test_a_manifest_that_breaks_keeps_what_it_said(folder: Path, state: Path, git_server: GitServer) -> None:
    git_server.repository("one").commit({"index.html": "number one"})
    write(folder / "one.yaml", static_site("one", repo=git_server.url("one")))
    arguments = (folder, "--allowed-hosts", git_server.origin)
    with Serving(state, arguments) as serving:
        eventually(lambda: serving.shows("one.pages.localhost", "number one"))
        (folder / "one.yaml").write_text("a: [1")
        eventually(lambda: serving.says("is not YAML"))
        assert serving.shows("one.pages.localhost", "number one")
    with Serving(state, arguments) as serving:  # and over a restart
        assert serving.shows("one.pages.localhost", "number one")


def test_a_port_in_use_is_named(folder: Path, state: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as other:
        port = other.getsockname()[1]
        done = pages("serve", folder, "--allow-local", "--state", state, "--port", str(port))
    assert done.returncode == 1
    assert f":{port} is in use" in done.stderr
    assert "--port" in done.stderr
    assert processes_of(state) == []


def test_a_state_directory_that_cannot_be_written_is_named(folder: Path, tmp_path: Path) -> None:
    (tmp_path / "file").write_text("x")
    done = pages("serve", folder, "--allow-local", "--state", tmp_path / "file" / "state")
    assert done.returncode == 1
    assert "--state" in done.stderr
    assert str(tmp_path / "file" / "state") in done.stderr


def test_a_state_directory_has_one_user_at_a_time(folder: Path, state: Path) -> None:
    with Serving(state, [folder, "--allow-local"]):
        done = pages("serve", folder, "--allow-local", "--state", state, "--port", "18181")
        assert done.returncode == 1
        assert "another `pages serve`" in done.stderr


@pytest.mark.parametrize("program", ["git", "nginx"])
def test_a_missing_program_is_named(folder: Path, state: Path, tmp_path: Path, program: str) -> None:
    (tmp_path / "bin").mkdir()
    for name in {"git", "nginx"} - {program}:
        path = shutil.which(name, path="/usr/bin:/usr/sbin:/usr/local/bin:/usr/local/sbin")
        assert path
        (tmp_path / "bin" / name).symlink_to(path)
    script = "import cli.commands.serve.nginx as n; n._MORE_PLACES = (); from cli import main; main()"
    done = subprocess.run(
        [sys.executable, "-c", script, "serve", str(folder), "--allow-local", "--state", str(state)],
        env={"PATH": str(tmp_path / "bin"), "HOME": str(tmp_path)},
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert done.returncode == 1
    assert f"{program} is not" in done.stderr
    assert "install" in done.stderr


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        ([], "name a directory of manifests"),
        (["{folder}"], "--allowed-hosts is missing"),
        (["{folder}", "--repo", "https://forge.example.com/x"], "not both"),
        (["{folder}", "--allowed-hosts", "127.0.0.1"], "IP address"),
        (["{folder}", "--allow-local", "--sync-interval", "1s"], "between 10s and 24h"),
        (["{folder}", "--allow-local", "--port", "99999"], "99999"),
        (["{folder}/nothing", "--allow-local"], "does not exist"),
        (["--repo", "ext::sh -c id"], "must be an https://"),
        (["--repo", "https://user:token@forge.example.com/x"], "credentials"),
    ],
)
def test_wrong_usage_is_explained(folder: Path, arguments: list[str], says: str) -> None:
    done = pages("serve", *[each.format(folder=folder) for each in arguments])
    assert done.returncode == 2
    assert says in " ".join(done.stderr.split())


def test_the_examples_are_published_offline(state: Path, tmp_path: Path) -> None:
    shutil.copytree(EXAMPLES, tmp_path / "examples")
    subprocess.run([tmp_path / "examples/prepare.sh", tmp_path / ".state/examples"], check=True, timeout=60)
    with Serving(state, [tmp_path / "examples/sites", "--allow-local"]) as serving:
        eventually(lambda: serving.shows("welcome.pages.localhost", "It works"))
        eventually(lambda: serving.shows("handbook.example.com", "Handbook"))
        eventually(lambda: serving.shows("handbook.example.com", "Changes", "/changes/"))
        assert serving.get("handbook.example.com", "/guide")[2]["Location"] == "/guide/"
        assert "own <code>404.html</code>" in serving.get("welcome.pages.localhost", "/nope")[1]
        assert serving.get("moved.example.com", "/a?b")[2]["Location"] == "http://moved.pages.localhost/a?b"
        demo = {"Authorization": "Basic ZGVtbzpkZW1v"}
        eventually(lambda: "Only with a password" in serving.get("moved.pages.localhost", **demo)[1])
        assert serving.get("moved.pages.localhost")[0] == 401
        eventually(lambda: serving.get("moved.pages.localhost", "/blog/1/a")[2].get("Location") == "/?title=a&year=1")
        eventually(lambda: serving.says("Following"))
        assert pages("status", "--state", state).returncode == 0


@pytest.fixture
def small_disk(tmp_path: Path) -> Iterator[Path]:
    """A file system of 3 MiB."""
    folder = tmp_path / "small"
    folder.mkdir()
    mount = ["mount", "-t", "tmpfs", "-o", "size=3m", "tmpfs", str(folder)]
    if not sys.platform.startswith("linux") or subprocess.run(mount, capture_output=True, check=False).returncode:
        pytest.skip("a small file system can be mounted by root on Linux only")
    yield folder
    subprocess.run(["umount", "-l", folder], check=True)


def test_a_full_disk_is_said_and_what_is_live_stays(folder: Path, small_disk: Path, git_server: GitServer) -> None:
    repository = git_server.repository("big")
    repository.commit({"index.html": "still small"})
    git_server.repository("other").commit({"index.html": "other"})
    write(
        folder / "sites.yaml",
        static_site("big", repo=git_server.url("big")),
        static_site("other", repo=git_server.url("other")),
    )
    arguments = (folder, "--allowed-hosts", git_server.origin, "--sync-interval", "10s")
    with Serving(small_disk / "state", arguments) as serving:
        eventually(lambda: serving.shows("big.pages.localhost", "still small"))
        repository.commit({"index.html": "too big", "blob": os.urandom(4 << 20)})
        eventually(lambda: serving.says("StorageFull"))
        assert serving.shows("big.pages.localhost", "still small")
        assert serving.shows("other.pages.localhost", "other")
        repository.commit({"index.html": "small again", "blob": None})
        eventually(lambda: serving.shows("big.pages.localhost", "small again"), seconds=60)


def test_a_killed_run_leaves_nothing_that_blocks_the_next(folder: Path, state: Path, git_server: GitServer) -> None:
    git_server.repository("one").commit({"index.html": "number one"})
    write(folder / "one.yaml", static_site("one", repo=git_server.url("one")))
    arguments = (folder, "--allowed-hosts", git_server.origin)
    with Serving(state, arguments) as serving:
        eventually(lambda: serving.shows("one.pages.localhost", "number one"))
        serving.kill()
    with Serving(state, arguments) as serving:
        assert serving.shows("one.pages.localhost", "number one")
