"""A private Gitea: a real forge with an API, git over HTTP and signed webhooks (`make tools`)."""

import json
import os
import pwd
import shutil
import subprocess
import tempfile
import urllib.error
import urllib.request
from base64 import b64encode
from collections.abc import Mapping
from pathlib import Path
from types import TracebackType
from typing import Any, Self

from tests.support.control_plane import TOOLS
from tests.support.processes import Program, answer
from tests.support.repositories import Repository, git
from tests.support.serving import eventually, free_port

USER = "alice"
_PASSWORD = "correct-horse-battery"
# Gitea's own queues sleep for up to 2 s before they look for a push again; those in memory do not.
_CONFIG = """\
RUN_USER = {user}
RUN_MODE = prod
WORK_PATH = {folder}
[server]
HTTP_ADDR = 127.0.0.1
HTTP_PORT = {port}
ROOT_URL = http://127.0.0.1:{port}/
STATIC_ROOT_PATH = {folder}/static
DISABLE_SSH = true
OFFLINE_MODE = true
[database]
DB_TYPE = sqlite3
PATH = {folder}/gitea.db
[security]
INSTALL_LOCK = true
[webhook]
ALLOWED_HOST_LIST = loopback
[indexer]
ISSUE_INDEXER_TYPE = db
[queue]
TYPE = channel
[actions]
ENABLED = false
[cron]
ENABLED = false
[log]
MODE = console
LEVEL = Warn
"""


def gitea_is_there() -> bool:
    """Whether `make tools` has built it."""
    return (TOOLS / "gitea.key").is_file()


class Gitea:
    """Has its own ports and data, and one user; it does not run as root."""

    def __init__(self) -> None:
        self.port = free_port()
        self.origin = f"http://127.0.0.1:{self.port}"
        self._folder = Path(tempfile.mkdtemp(prefix="gitea-"))
        self._work = Path(tempfile.mkdtemp(prefix="gitea-work-"))
        self._secret = _PASSWORD  # then a token, which costs the server less to check
        self._repositories: dict[str, Repository] = {}
        self._prepare()
        self._program = Program(self._work / "gitea.log", self._command("web"), self._environment())

    def __enter__(self) -> Self:
        try:
            self._program.start()
            eventually(lambda: answer(self.port, "/api/healthz")[0] == 200 or not self._program.running())
            assert self._program.running(), self._program.output
            self._create_user()
        except BaseException:
            self._tear_down()
            raise
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._tear_down()

    def _prepare(self) -> None:
        user = pwd.getpwuid(os.geteuid())
        if user.pw_uid == 0:
            user = pwd.getpwnam("nobody")
        # Copied, because another user may not enter the folder of the tools.
        shutil.copy(TOOLS / "bin/gitea", self._folder / "gitea")
        shutil.copytree(TOOLS / "gitea", self._folder / "static")
        config = _CONFIG.format(user=user.pw_name, folder=self._folder, port=self.port)
        (self._folder / "app.ini").write_text(config)
        self._user = user
        if os.geteuid() == 0:
            for path in (self._folder, *self._folder.iterdir()):
                os.chown(path, user.pw_uid, user.pw_gid)

    def _command(self, *arguments: str) -> list[str]:
        other = ["setpriv", f"--reuid={self._user.pw_uid}", f"--regid={self._user.pw_gid}", "--clear-groups"]
        program = [str(self._folder / "gitea"), *arguments, "--config", str(self._folder / "app.ini")]
        return [*(other if os.geteuid() == 0 else []), *program]

    def _environment(self) -> dict[str, str]:
        return {"HOME": str(self._folder), "USER": self._user.pw_name, "GITEA_WORK_DIR": str(self._folder)}

    def _create_user(self) -> None:
        account = ("--username", USER, "--password", _PASSWORD, "--email", "alice@example.com", "--admin")
        done = subprocess.run(
            self._command("admin", "user", "create", *account, "--must-change-password=false"),
            env=os.environ | self._environment(),
            cwd=self._folder,
            capture_output=True,
            text=True,
            timeout=60,
            check=False,
        )
        assert done.returncode == 0, done.stdout + done.stderr
        self._secret = self.token("tests", "all")

    def _tear_down(self) -> None:
        if self._program.running():
            self._program.kill()
        for folder in (self._folder, self._work):
            shutil.rmtree(folder, ignore_errors=True)

    def api(self, method: str, path: str, content: Any = None) -> Any:
        """The API's answer to the user."""
        url = f"{self.origin}/api/v1{path}"
        credentials = b64encode(f"{USER}:{self._secret}".encode()).decode()
        headers = {"Content-Type": "application/json", "Authorization": f"Basic {credentials}"}
        body = None if content is None else json.dumps(content).encode()
        try:
            with urllib.request.urlopen(urllib.request.Request(url, body, headers, method=method), timeout=30) as found:
                text = found.read()
        except urllib.error.HTTPError as error:
            raise AssertionError(f"{method} {path}: {error.code} {error.read().decode(errors='replace')}") from error
        return json.loads(text) if text else None

    def repository(self, name: str, *, private: bool = False) -> Repository:
        """A new repository, and the clone from which it is pushed to."""
        self.api("POST", "/user/repos", {"name": name, "private": private, "default_branch": "main"})
        self._repositories[name] = Repository(self._work / f"{name}.git")
        return self._repositories[name]

    def url(self, name: str) -> str:
        """The URL for spec.repo."""
        return f"{self.origin}/{USER}/{name}.git"

    def rename(self, name: str, to: str) -> None:
        """Give a repository another name; the clone's as well."""
        self.api("PATCH", f"/repos/{USER}/{name}", {"name": to})
        self._repositories[to] = self._repositories.pop(name)

    def hook(self, name: str, url: str, secret: str, *events: str, content_type: str = "json") -> int:
        """A webhook for these events, else for pushes; returns its number."""
        config = {"url": url, "content_type": content_type, "secret": secret}
        hook = {"type": "gitea", "config": config, "events": events or ("push",), "active": True}
        return int(self.api("POST", f"/repos/{USER}/{name}/hooks", hook)["id"])

    def test_hook(self, name: str, number: int) -> None:
        """Press the button "Test delivery", once the forge has noticed that there is something in the repository."""
        eventually(lambda: not self.api("GET", f"/repos/{USER}/{name}")["empty"])
        self.api("POST", f"/repos/{USER}/{name}/hooks/{number}/tests")

    def push(self, name: str, *refs: str) -> None:
        """Push over HTTP: by default all branches and tags, with force."""
        url = f"http://{USER}:{self._secret}@127.0.0.1:{self.port}/{USER}/{name}.git"
        git("-C", str(self._repositories[name].folder), "push", "--quiet", url, *(refs or ("+refs/*:refs/*",)))

    def commit_only(self, name: str, files: Mapping[str, str | None]) -> None:
        """Commit without a push."""
        self._repositories[name].commit(files)

    def commit(self, name: str, files: Mapping[str, str | None], **more: Any) -> str:
        """Commit and push."""
        commit = self._repositories[name].commit(files, **more)
        self.push(name)
        return commit

    def token(self, name: str, *scopes: str) -> str:
        """An access token of the user with these scopes."""
        self._secret, used = _PASSWORD, self._secret  # a token may not make another
        found = self.api("POST", f"/users/{USER}/tokens", {"name": name, "scopes": scopes})
        self._secret = used
        return str(found["sha1"])

    def statuses(self, name: str, commit: str) -> list[dict[str, Any]]:
        """The statuses that the forge shows at a commit, the first that was set first."""
        found = self.api("GET", f"/repos/{USER}/{name}/commits/{commit}/statuses?sort=oldest")
        return sorted(found, key=lambda each: int(each["id"]))
