"""`pages why`, `sync`, `logs` and `rollback` on a running `pages serve`."""

import json
import signal
from functools import partial
from http import HTTPStatus
from pathlib import Path

import pytest
import yaml

from cli import exits
from cli.backends.manifest_edit import set_revision
from tests.support.git_server import GitServer
from tests.support.objects import static_site
from tests.support.serving import Serving, eventually, following, pages

site = partial(static_site, syncInterval="24h")


def mistake_of(name: str, state: Path) -> str:
    """The error for a site whose manifest has a mistake, once the manifest was read."""
    shown = pages("why", name, "--state", state)
    assert shown.returncode == exits.USAGE, shown.stdout
    return shown.stderr if "sites.yaml" in shown.stderr else ""


def test_each_broken_site_gets_its_true_cause(tmp_path: Path, git_server: GitServer) -> None:
    git_server.repository("blog").commit({"index.html": "hello", "docs/page.html": "no index"})
    git_server.repository("private").commit({"index.html": "plans"})
    git_server.require("private", "deploy", "the-token")
    git_server.repository("moved").commit({"index.html": "x", "_redirects": "/ /en/ 302!\n/a /b 200\n"})
    blog = git_server.url("blog")
    broken = {
        "noindex": (site("noindex", repo=blog, path="/docs"), "NoIndex", "commit an index.html to the folder /docs"),
        "branch": (site("branch", repo=blog, branch="mian"), "BranchNotFound", "set spec.branch"),
        "gone": (site("gone", repo=git_server.url("nothing")), "RepoNotFound", "if the repository is private"),
        "key": (
            site("key", repo=git_server.url("private"), secretRef={"name": "token", "key": "pass"}),
            "SecretMissing",
            "add a Secret token in namespace team with the key pass",
        ),
        "taken": (
            site("taken", repo=blog, domain="example.com"),
            "PathConflict",
            "choose another pathPrefix or domain",
        ),
    }
    moved = site("moved", repo=git_server.url("moved"))
    manifests = [site("good", repo=blog, domain="example.com"), moved, *(each[0] for each in broken.values())]
    (tmp_path / "sites.yaml").write_text(yaml.safe_dump_all(manifests))
    state = tmp_path / "state"
    with Serving(state, [tmp_path / "sites.yaml", "--allowed-hosts", git_server.origin]) as serving:
        eventually(lambda: serving.shows("example.com", "hello"))
        eventually(lambda: all(serving.says(f"team/{name}  ") for name in broken))
        for name, (_, reason, remedy) in broken.items():
            shown = pages("why", name, "--state", state)
            assert shown.returncode == exits.NOT_READY
            assert f"({reason})" in shown.stdout, shown.stdout
            assert remedy in shown.stdout
        eventually(lambda: serving.get("moved.pages.localhost")[0] == HTTPStatus.FOUND)
        shown = pages("why", "moved", "--state", state)
        assert shown.returncode == exits.OK, shown.stdout
        assert "returns 302, a redirect to /en/" in shown.stdout and "_redirects line 2: rewrites (200)" in shown.stdout
        assert "The site is live, with warnings (marked !)." in shown.stdout
        well = pages("why", "team/good", "--state", state, "-o", "json")
        assert well.returncode == exits.OK, well.stdout
        fields = json.loads(well.stdout)
        assert (fields["ready"], fields["stopsAt"]) == (True, None)
        assert {each["state"] for each in fields["links"]} == {"ok"}
        examined = pages("doctor", "--state", state)
        assert examined.returncode == exits.OK, examined.stdout
        assert "127.0.0.1" in examined.stdout
        mistaken = site("mistaken", repo=blog, brnach="main")
        (tmp_path / "sites.yaml").write_text(yaml.safe_dump_all([*manifests, mistaken]))
        named = eventually(lambda: mistake_of("mistaken", state))
        assert "StaticSite team/mistaken: spec.brnach is not a known field; did you mean branch?" in named
    typo = pages("why", "godo", "--state", state)
    assert (typo.returncode, "did you mean good?" in typo.stderr) == (exits.USAGE, True)
    stopped = pages("why", "good", "--state", state)
    assert "It stops at Syncer (NotRunning)" in stopped.stdout
    assert pages("doctor", "--state", state).returncode == exits.NOT_READY


def test_a_sync_is_requested_awaited_and_logged(tmp_path: Path, git_server: GitServer) -> None:
    repository = git_server.repository("blog")
    repository.commit({"index.html": "one"})
    (tmp_path / "blog.yaml").write_text(yaml.safe_dump(site("blog", repo=git_server.url("blog"))))
    state = tmp_path / "state"
    with Serving(state, [tmp_path / "blog.yaml", "--allowed-hosts", git_server.origin]) as serving:
        eventually(lambda: serving.shows("blog.pages.localhost", "one"))
        eventually(lambda: serving.statuses()["team/blog"].get("syncToken"))
        commit = repository.commit({"index.html": "two"})
        done = pages("sync", "blog", "--wait", "--state", state)
        assert done.returncode == exits.OK, done.stderr
        assert f"published commit {commit[:12]}, 1 files" in done.stdout
        assert serving.shows("blog.pages.localhost", "two")
        git_server.fail("blog", 500)
        failed = pages("sync", "team/blog", "--wait", "--state", state)
        assert failed.returncode == exits.NOT_READY
        assert "Unreachable" in failed.stderr
        lines = pages("logs", "blog", "--state", state).stdout.splitlines()
        assert [line.split()[1] for line in lines][:3] == ["published", "published", "failed"]
        assert pages("logs", "blog", "--state", state, "--tail", "1").stdout.splitlines() == lines[-1:]
        shown = following("logs", "blog", "-f", "--state", state)
        assert shown.stdout
        seen = [shown.stdout.readline() for _ in lines]
        assert seen[0].rstrip() == lines[0]
        shown.send_signal(signal.SIGINT)
        assert shown.wait(60) == exits.INTERRUPTED
        shown.stdout.close()
        assert pages("sync", "blog", "--wait", "--state", state, "--timeout", "1ms").returncode == exits.NOT_READY
    left = pages("sync", "blog", "--state", state)
    assert (left.returncode, "is not running" in left.stderr) == (exits.CANNOT_ASK, True)


def test_a_rollback_edits_the_manifest_and_is_live_when_it_returns(tmp_path: Path, git_server: GitServer) -> None:
    repository = git_server.repository("blog")
    first = repository.commit({"index.html": "one"})
    manifest = tmp_path / "blog.yaml"
    manifest.write_text("# ours\n" + yaml.safe_dump(site("blog", repo=git_server.url("blog"))))
    written, state = manifest.read_text(), tmp_path / "state"
    with Serving(state, [manifest, "--allowed-hosts", git_server.origin]) as serving:
        eventually(lambda: serving.shows("blog.pages.localhost", "one"))
        assert "there is no earlier release" in pages("rollback", "blog", "--state", state).stderr
        repository.commit({"index.html": "two"})
        assert pages("sync", "blog", "--wait", "--state", state).returncode == exits.OK
        eventually(lambda: len(serving.statuses()["team/blog"].get("releases", [])) == 2)
        unknown = pages("rollback", "blog", "ffffffff", "--state", state)
        assert (unknown.returncode, first[:12] in unknown.stderr) == (exits.USAGE, True)
        done = pages("rollback", "blog", "--state", state)
        assert done.returncode == exits.OK, done.stderr
        assert serving.shows("blog.pages.localhost", "one")
        assert f'revision: "{first}"' in manifest.read_text() and manifest.read_text().startswith("# ours\n")
        assert "nothing to do; it already is at" in pages("rollback", "blog", first[:7], "--state", state).stdout
        undone = pages("rollback", "blog", "--undo", "--state", state)
        assert undone.returncode == exits.OK, undone.stderr
        assert serving.shows("blog.pages.localhost", "two")
        assert manifest.read_text() == written


@pytest.mark.parametrize(
    ("text", "says"),
    [
        (
            "{apiVersion: pages.kup6s.com/v1beta1, kind: StaticSite, metadata: {name: blog}, spec: {repo: https://x.example/y}}",
            "block",
        ),
        ("a: 1\n", "does not have the site"),
    ],
)
def test_a_manifest_that_cannot_be_edited_safely_is_left_alone(tmp_path: Path, text: str, says: str) -> None:
    (tmp_path / "x.yaml").write_text(text)
    with pytest.raises(ValueError, match=says):
        set_revision(tmp_path / "x.yaml", {"metadata": {"namespace": "default", "name": "blog"}}, "a" * 40)
    assert (tmp_path / "x.yaml").read_text() == text


def test_one_line_of_a_manifest_is_changed_and_all_else_stays(tmp_path: Path) -> None:
    blog = {"metadata": {"namespace": "default", "name": "blog"}}
    before = """\
# ours
kind: StaticSite
apiVersion: pages.kup6s.com/v1beta1
metadata: {name: blog}
spec:
  # the repo
  repo: 'https://x.example/y'  # https
---
kind: Other
"""
    file = tmp_path / "x.yaml"
    file.write_text(before)
    set_revision(file, blog, "a" * 40)
    pinned = file.read_text()
    assert f"spec:\n  # the repo\n  revision: \"{'a' * 40}\"\n  repo: 'https://x.example/y'  # https\n" in pinned
    set_revision(file, blog, "v1.2")
    assert file.read_text() == pinned.replace("a" * 40, "v1.2")
    set_revision(file, blog, None)
    assert file.read_text() == before
