"""`pages serve` end to end: rolled back by an edit of a manifest, and looked at on the dashboard."""

import json
from http import HTTPStatus
from pathlib import Path

from tests.cli.commands.test_serve import write
from tests.support.git_server import GitServer
from tests.support.objects import static_site
from tests.support.serving import Serving, eventually

HOST = "one.pages.localhost"


def test_a_site_is_rolled_back_while_the_git_server_is_down_and_follows_its_branch_again(
    tmp_path: Path, git_server: GitServer
) -> None:
    repository = git_server.repository("one")
    old = repository.commit({"index.html": "old page", "app.1111aaaa.js": "old"}, message="The old page")
    folder = tmp_path / "manifests"
    folder.mkdir()
    write(folder / "one.yaml", static_site("one", repo=git_server.url("one"), syncInterval="10s"))
    with Serving(tmp_path / "state", [folder, "--allowed-hosts", git_server.origin]) as serving:
        eventually(lambda: serving.shows(HOST, "old page"))
        new_page = {"index.html": "new page", "app.1111aaaa.js": None, "app.2222bbbb.js": "new"}
        repository.commit(new_page, message="The <b>new</b> page")
        eventually(lambda: serving.shows(HOST, "new page"))
        git_server.fail("one", 500)
        write(folder / "one.yaml", static_site("one", repo=git_server.url("one"), syncInterval="10s", revision=old))
        eventually(lambda: serving.shows(HOST, "old page"))
        # Pages that were loaded meanwhile find their scripts.
        assert serving.get(HOST, "/app.2222bbbb.js")[:2] == (HTTPStatus.OK, "new")
        assert serving.get(HOST, "/app.1111aaaa.js")[:2] == (HTTPStatus.OK, "old")
        eventually(lambda: "pinned by spec.revision" in serving.synced("team/one")[1])
        releases = serving.statuses()["team/one"]["releases"]
        assert [(each["subject"], each["live"], each["available"]) for each in releases] == [
            ("The <b>new</b> page", False, True),
            ("The old page", True, True),
        ]
        page = dashboard(serving, "/namespaces/team/sites/one")
        assert "The &lt;b&gt;new&lt;/b&gt; page" in page
        assert f"Pinned to</dt><dd><code>{old}" in page
    # A restart while the server is down: it stays, and so does what is told of it.
    with Serving(tmp_path / "state", [folder, "--allowed-hosts", git_server.origin]) as serving:
        eventually(lambda: serving.shows(HOST, "old page"))
        assert serving.statuses()["team/one"]["releases"] == releases
        git_server.heal("one")
        write(folder / "one.yaml", static_site("one", repo=git_server.url("one"), syncInterval="10s"))
        eventually(lambda: serving.shows(HOST, "new page"))


def test_the_dashboard_shows_the_sites_their_deliveries_and_their_log(tmp_path: Path, git_server: GitServer) -> None:
    git_server.repository("one").commit({"index.html": "one"})
    git_server.repository("bad")
    folder = tmp_path / "manifests"
    folder.mkdir()
    write(
        folder / "all.yaml",
        static_site("one", repo=git_server.url("one")),
        static_site("bad", "other", repo=git_server.url("bad")),
    )
    with Serving(tmp_path / "state", [folder, "--allowed-hosts", git_server.origin]) as serving:
        eventually(lambda: "EmptyRepo" in dashboard(serving, "/namespaces/other/sites/bad"))
        eventually(lambda: "went live: 1 file," in dashboard(serving, "/namespaces/team/sites/one"))
        assert "Dashboard: http://pages.localhost:" in serving.output
        everything = dashboard(serving, "/")
        assert "sites/one" in everything and "sites/bad" in everything
        assert "sites/bad" in (failing := dashboard(serving, "/?state=Error"))
        assert "sites/one" not in failing
        assert serving.get("pages.localhost", "/namespaces/none/")[0] == HTTPStatus.NOT_FOUND
        assert serving.get(HOST, "/namespaces/team/")[0] == HTTPStatus.NOT_FOUND
        headers = serving.get("pages.localhost", "/-/dashboard.css")[2]
        assert (headers["Content-Type"], headers["X-Content-Type-Options"]) == ("text/css; charset=utf-8", "nosniff")
        token = serving.statuses()["team/one"]["syncToken"]
        assert (one := dashboard(serving, "/namespaces/team/sites/one"))
        assert token not in one
        assert json.dumps(token) not in everything


def dashboard(serving: Serving, path: str) -> str:
    """The page, or nothing where there is none yet."""
    status, body, _ = serving.get("pages.localhost", path)
    return body if status == HTTPStatus.OK else ""
