"""Webhooks and the API of `pages serve`, through its nginx."""

import http.client
import json
import re
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml

from pages.api import REQUESTED_AT
from syncer.webhooks.receiver import FORGES
from tests.support import deliveries
from tests.support.deliveries import Sent
from tests.support.git_server import GitServer
from tests.support.objects import static_site
from tests.support.serving import Serving, eventually, pages

HOST = "webhook.pages.localhost"
DOCS = Path(__file__).parents[2] / "docs"


class API:
    """The API of a running `pages serve`."""

    def __init__(self, serving: Serving, folder: Path) -> None:
        self.serving = serving
        self.folder = folder

    def ask(
        self, method: str, path: str, headers: dict[str, str] | None = None, body: bytes | Iterator[bytes] = b""
    ) -> tuple[int, Any]:
        """Status and JSON."""
        connection = http.client.HTTPConnection("127.0.0.1", self.serving.port, timeout=20)
        try:
            chunked = not isinstance(body, bytes)
            connection.request(method, path, body, {"Host": HOST} | (headers or {}), encode_chunked=chunked)
            answer = connection.getresponse()
            assert answer.headers["Content-Type"] in {"application/json", "application/problem+json"}
            return answer.status, json.loads(answer.read())
        finally:
            connection.close()

    def deliver(self, sent: Sent) -> tuple[int, Any]:
        return self.ask("POST", f"/webhook/{sent.forge}", sent.headers, sent.body)

    def token(self, key: str) -> dict[str, str]:
        return {"X-API-Key": eventually(lambda: self.serving.statuses().get(key, {}).get("syncToken"))}

    def why(self, name: str = "team/blog") -> str:
        return pages("why", name, "--state", self.serving.state).stdout


@pytest.fixture
def api(tmp_path: Path, git_server: GitServer) -> Iterator[API]:
    """Two sites of two repositories, live."""
    secret = tmp_path / "secret"
    secret.write_bytes(deliveries.SECRET + b"\n")
    (tmp_path / "manifests").mkdir()
    for name in ("blog", "docs"):
        git_server.repository(name).commit({"index.html": "one"})
        (tmp_path / f"manifests/{name}.yaml").write_text(
            yaml.safe_dump(static_site(name, repo=git_server.url(name), syncInterval="24h"))
        )
    arguments: list[str | Path] = [tmp_path / "manifests", "--allowed-hosts", git_server.origin]
    with Serving(tmp_path / "state", [*arguments, "--webhook-secret-file", tmp_path / "secret"]) as serving:
        eventually(
            lambda: serving.shows("blog.pages.localhost", "one") and serving.shows("docs.pages.localhost", "one")
        )
        yield API(serving, tmp_path)


def test_a_push_is_live_at_once_and_why_tells_of_its_webhook(api: API, git_server: GitServer) -> None:
    git_server.repository("blog").commit({"index.html": "two"})
    assert api.serving.says(f"http://{HOST}:{api.serving.port}/webhook/")
    assert api.deliver(deliveries.gitea_push(git_server.url("blog"), secret=b"wrong"))[0] == 401
    code, said = api.deliver(deliveries.gitea_push(git_server.url("blog")))
    assert (code, said["sites"]) == (202, ["team/blog"])
    eventually(lambda: api.serving.shows("blog.pages.localhost", "two"))
    shown = api.why()
    assert "team/blog  http://blog.pages.localhost" in shown
    assert re.search(r"ok +Release +commit \w{12} is live", shown)
    assert " gitea push: queued." in shown
    assert "refused: signed neither with" in shown
    assert "none since the syncer started" in api.why("docs")
    assert deliveries.SECRET.decode() not in shown and api.token("team/blog")["X-API-Key"] not in shown


def test_a_sites_token_syncs_it_and_drops_its_files_alone(api: API, git_server: GitServer) -> None:
    token = api.token("team/blog")
    assert api.ask("DELETE", "/site/team/docs", token)[0] == 401
    assert api.ask("DELETE", "/site/team/blog", token)[0] == 200
    assert api.serving.get("blog.pages.localhost")[0] == 404
    assert api.serving.shows("docs.pages.localhost", "one")
    assert api.ask("POST", "/sync/team/blog", token) == (
        202,
        {"status": "queued", "message": "queued: 1 site", "sites": ["team/blog"]},
    )
    eventually(lambda: api.serving.shows("blog.pages.localhost", "one"))
    assert api.deliver(deliveries.gitea_push(git_server.url("blog"), secret=token["X-API-Key"].encode()))[0] == 202
    assert api.deliver(deliveries.gitea_push(git_server.url("docs"), secret=token["X-API-Key"].encode()))[0] == 401


def test_an_annotation_asks_for_a_sync(api: API, git_server: GitServer) -> None:
    git_server.repository("blog").commit({"index.html": "two"})
    manifest = static_site(
        "blog",
        repo=git_server.url("blog"),
        syncInterval="24h",
        metadata={"annotations": {"pages.kup6s.com/requestedAt": "2026-01-01T12:00:00Z"}},
    )
    (api.folder / "manifests/blog.yaml").write_text(yaml.safe_dump(manifest))
    eventually(lambda: api.serving.shows("blog.pages.localhost", "two"))
    eventually(lambda: api.serving.statuses()["team/blog"].get("lastHandledRequest") == "2026-01-01T12:00:00Z")


def test_the_scripts_of_the_how_to_work_as_they_stand_there(api: API, git_server: GitServer) -> None:
    script = re.findall(r"```sh\n(.*?)```", (DOCS / "how-to/webhooks-generic.md").read_text(), re.DOTALL)[0]
    script = script.replace("https://webhook.pages.example.com", f"http://127.0.0.1:{api.serving.port}")
    script = script.replace("https://forge.example.com/you/blog.git", git_server.url("blog"))
    (api.folder / "webhook-secret").write_bytes(deliveries.SECRET)
    done = subprocess.run(["sh", "-c", script], cwd=api.folder, capture_output=True, text=True, check=False)
    assert '"sites": ["team/blog"]' in done.stdout, done.stderr


@pytest.mark.parametrize("page", ["reference/webhooks.md", *(f"how-to/webhooks-{forge}.md" for forge in FORGES)])
def test_the_docs_name_what_there_is(page: str) -> None:
    text = (DOCS / page).read_text()
    if page.startswith("how-to"):
        assert f"/webhook/{page.removeprefix('how-to/webhooks-').removesuffix('.md')}" in text
    else:
        assert all(forge in text for forge in FORGES)
        assert all(route in text for route in ("/sync/{namespace}/{name}", "/site/{namespace}/{name}", REQUESTED_AT))


def test_w4_nginx_refuses_a_large_body_by_rfc_9457(api: API) -> None:
    head = {"Content-Type": deliveries.JSON}
    for body in (b"x" * (1 << 20) + b"x", iter([b"x" * 65536] * 17)):
        headers = head if isinstance(body, bytes) else head | {"Transfer-Encoding": "chunked"}
        code, said = api.ask("POST", "/webhook/gitea", headers, body)
        assert (code, said["status"], said["detail"]) == (413, 413, "a delivery may have at most 1 MiB")


def test_a_chunked_delivery_is_taken(api: API, git_server: GitServer) -> None:
    sent = deliveries.gitea_push(git_server.url("blog"))
    headers = sent.headers | {"Transfer-Encoding": "chunked"}
    assert api.ask("POST", "/webhook/gitea", headers, iter([sent.body[:20], sent.body[20:]]))[0] == 202


def test_w8_the_api_has_nothing_but_its_paths(api: API) -> None:
    for path in ("/", "/healthz", "/metrics", "/webhook/..", "/site/../sync/team/blog"):
        assert api.ask("GET", path)[0] == 404
    by_address = {"Host": f"127.0.0.1:{api.serving.port}"}
    assert api.ask("POST", "/webhook/gitea", by_address | {"Content-Type": deliveries.JSON})[0] == 401
    assert api.serving.get("127.0.0.1", "/metrics")[1] == "No site is served at 127.0.0.1 here.\n"


def test_without_a_secret_only_the_sites_own_tokens_are_believed(tmp_path: Path, git_server: GitServer) -> None:
    git_server.repository("blog").commit({"index.html": "one"})
    with Serving(tmp_path / "state", ["--repo", git_server.url("blog")]) as serving:
        api = API(serving, tmp_path)
        token = api.token("default/blog")["X-API-Key"]
        for secret in (b"", deliveries.SECRET):
            assert api.deliver(deliveries.gitea_push(git_server.url("blog"), secret=secret))[0] == 401
        assert api.deliver(deliveries.gitea_push(git_server.url("blog"), secret=token.encode()))[0] == 202
    assert (tmp_path / "state/token-key").stat().st_mode & 0o777 == 0o600
    with Serving(tmp_path / "state", ["--repo", git_server.url("blog")]) as serving:
        assert API(serving, tmp_path).token("default/blog")["X-API-Key"] == token
    left = pages("why", "blog", "--state", tmp_path / "state")
    assert left.returncode == 1
    assert "`pages serve` is not running" in left.stdout
    assert "not known here" in left.stdout


@pytest.mark.parametrize("content", [b"", b" \n"])
def test_an_empty_secret_is_a_mistake(tmp_path: Path, content: bytes) -> None:
    (tmp_path / "secret").write_bytes(content)
    done = pages("serve", "--repo", "https://forge.example.com/x", "--webhook-secret-file", tmp_path / "secret")
    assert done.returncode == 2
    assert "is empty" in done.stderr


def test_why_explains_what_it_does_not_find(tmp_path: Path) -> None:
    assert "--state" in pages("why", "blog", "--state", tmp_path / "none").stderr
    assert "--state is a `pages serve`" in pages("why", "blog", "--cluster", "--state", tmp_path).stderr
