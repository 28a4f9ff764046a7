"""The syncer and commit statuses together: a forge whose API is down costs a sync nothing."""

import threading
from pathlib import Path

from pages.core import Secret
from syncer.egress.hosts import AllowedHosts
from syncer.git.commands import Git
from syncer.git.mirrors import Mirrors
from syncer.publishing.release import Published
from syncer.publishing.source import SourceSync
from syncer.reporting.commit_status.calls import Call
from syncer.reporting.commit_status.writer import CommitStatuses
from syncer.sources import source_of
from syncer.volume.releases import Releases
from tests.support.git_server import GitServer
from tests.support.objects import parsed_site
from tests.support.serving import eventually

TOKEN = {"secretRef": {"name": "forge"}}


def read_secret(_namespace: str, name: str) -> Secret:
    return Secret.model_validate({"metadata": {"name": name}, "stringData": {"password": "token"}})


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
    git, forge, hosts = Git(), Forge(), AllowedHosts.parse(git_server.origin)
    statuses = CommitStatuses(read_secret, hosts, post=forge.post)
    statuses.start()
    releases = Releases(tmp_path / "volume")
    releases.prepare()
    mirrors = Mirrors(tmp_path / "mirrors", git)
    sync = SourceSync(
        git=git, mirrors=mirrors, releases=releases, hosts=hosts, read_secret=read_secret, begin=statuses.begun
    )
    repository = git_server.repository()
    site, commits = parsed_site(repo=git_server.url(), commitStatus=TOKEN), []
    for text in ("one", "two", "three"):
        commits.append(repository.commit({"public/index.html": text}))
        (outcome,) = sync.run(source_of(site), [site], statuses.ended)
        assert isinstance(outcome, Published)
    assert forge.calls == []
    forge.may_answer.set()
    eventually(lambda: ("success", commits[-1]) in forge.states)
    assert len(forge.calls) <= 2, "what came between is no news any more"

    broken = parsed_site(repo=git_server.url(), commitStatus=TOKEN, path="/none")
    sync.run(source_of(broken), [broken], statuses.ended)
    eventually(lambda: forge.states[-1] == ("failure", commits[-1]))
    assert "SubpathNotFound" in forge.calls[-1].content["description"]
    statuses.stop()
    git.close()
