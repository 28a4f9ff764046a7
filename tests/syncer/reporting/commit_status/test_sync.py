"""The syncer and commit statuses together: a forge whose API is down costs a sync nothing."""

import threading
from pathlib import Path

from pages.core import Secret
from syncer import assembly
from syncer.egress.hosts import AllowedHosts
from syncer.outcome import Published
from syncer.reporting.commit_status.calls import Call
from syncer.reporting.commit_status.writer import CommitStatuses
from syncer.settings import Settings
from syncer.sources import group
from tests.support.git_server import GitServer
from tests.support.objects import parsed_site
from tests.support.serving import eventually


class Tokens:
    """Any Secret there may be."""

    def secret(self, namespace: str, name: str) -> Secret:
        return Secret.model_validate({"metadata": {"name": name}, "stringData": {"password": "token"}})


TOKEN = {"secretRef": {"name": "forge"}}


class Forge:
    """An API that does not answer before it may."""

    def __init__(self) -> None:
        self.calls: list[Call] = []
        self.may_answer = threading.Event()

    def post(self, call: Call) -> None:
        assert self.may_answer.wait(30)
        self.calls.append(call)

    @property
    def states(self) -> list[tuple[str, str]]:
        return [(call.content["state"], call.url[-40:]) for call in self.calls]


def test_syncs_go_on_while_the_forge_hangs_and_it_learns_the_latest(tmp_path: Path, git_server: GitServer) -> None:
    forge = Forge()
    settings = Settings(tmp_path / "volume", tmp_path / "mirrors", AllowedHosts.parse(git_server.origin))
    statuses = CommitStatuses(Tokens(), settings.hosts, forges=forge)
    statuses.start()
    workspace = assembly.make_workspace(settings, assembly.make_git(settings))
    sync = assembly.make_source_sync(settings, workspace, Tokens(), recorder=statuses)
    sync.prepare()
    repository = git_server.repository()
    commits, site = [], parsed_site(repo=git_server.url(), commitStatus=TOKEN)
    for text in ("one", "two", "three"):
        commits.append(repository.commit({"public/index.html": text}))
        for _, outcome in sync.run_all(group([site])):
            assert isinstance(outcome, Published)
            statuses.outcome_reported(site, outcome, 0)
    assert forge.calls == []
    forge.may_answer.set()
    eventually(lambda: ("success", commits[-1]) in forge.states)
    assert len(forge.calls) <= 2, "what came between is no news any more"

    broken = parsed_site(repo=git_server.url(), commitStatus=TOKEN, path="/none")
    for site, outcome in sync.run_all(group([broken])):
        statuses.outcome_reported(site, outcome, 0)
    eventually(lambda: forge.states[-1] == ("failure", commits[-1]))
    assert "SubpathNotFound" in forge.calls[-1].content["description"]
    statuses.stop()
    workspace.git.close()
