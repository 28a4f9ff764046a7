"""The few git commands we run, hardened (``hardening.py``) and bounded (``process.py``)."""

import re
import tempfile
from collections.abc import Iterable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import replace
from pathlib import Path

from syncer.egress.addresses import Addresses
from syncer.errors import BranchNotFound, EmptyRepo, GitFailed, LimitExceeded, ObjectNotGiven, SyncError
from syncer.git import diagnosis, hardening, missing
from syncer.git.object_reader import OID, Objects
from syncer.git.process import Ended, GitProcesses, Job
from syncer.git.remote import Remote
from syncer.git.smart_http import SmartHTTP
from syncer.git.traffic import Traffic, TrafficRecorder
from syncer.limits import ProcessLimits, Timeouts

_OLDEST = (2, 39)
_MAX_OUTPUT = 1 << 20


class Git:
    """Runs git. ``local`` admits the ``file`` transport. Every child is gone once ``close`` has returned.

    Git connects to the ``addresses`` of a server's name and nowhere else; without any, to public ones only.
    """

    def __init__(
        self,
        timeouts: Timeouts | None = None,
        limits: ProcessLimits | None = None,
        *,
        addresses: Addresses | None = None,
        local: bool = False,
        recorder: TrafficRecorder | None = None,
    ) -> None:
        self._timeouts = timeouts or Timeouts()
        self._addresses = addresses or Addresses()
        self._limits = limits or ProcessLimits()
        self.traffic = Traffic(recorder)
        self.server = SmartHTTP(self._addresses.of, seconds=self._timeouts.ask, recorder=self.traffic.recorder)
        self._asking = replace(self._limits, file_bytes=_MAX_OUTPUT)
        self._processes = GitProcesses()
        self._config = hardening.CONFIG | ({"protocol.file.allow": "always"} if local else {})

    @property
    def timeouts(self) -> Timeouts:
        """How long servers may take."""
        return self._timeouts

    def close(self) -> None:
        """Stop all children and questions now; those started later fail."""
        self.server.close()
        self._processes.close()

    def check_version(self) -> str:
        """Git's version. Raises GitFailed where it does not know all settings that harden it."""
        said = self._run("version").decode(errors="replace").strip()
        number = re.search(r"([0-9]+)\.([0-9]+)", said)
        if number is None or (int(number[1]), int(number[2])) < _OLDEST:
            raise GitFailed(f"{said!r} is too old: install git {_OLDEST[0]}.{_OLDEST[1]} or later")
        return said

    def ref_head(self, remote: Remote, ref: str) -> str:
        """The commit at a branch or tag, by its full name (``git ls-remote``). Raises an error such as BranchNotFound.

        Of an annotated tag, what it stands for.
        """
        peeled = f"{ref}^{{}}"
        found = self._ask(remote, "--end-of-options", remote.url, ref, peeled)
        # The pattern also matches the tail of a longer name, such as a branch that is called like a tag (R2).
        commits = {name: oid for oid, name in found if name in {ref, peeled} and OID.fullmatch(oid.encode())}
        commit = commits.get(peeled) or commits.get(ref)
        if commit is None:
            raise self.explain_missing(remote, ref)
        return commit

    def default_branch(self, remote: Remote) -> str:
        """The branch that the repository's HEAD names. Raises a SyncError such as EmptyRepo."""
        for target, name in self._ask(remote, "--symref", "--end-of-options", remote.url, "HEAD"):
            if name == "HEAD" and target.startswith("ref: refs/heads/"):
                return target.removeprefix("ref: refs/heads/")
        raise EmptyRepo(missing.NO_COMMITS)

    def fetch(self, git_dir: Path, remote: Remote, what: str, ref: str) -> None:
        """Bring a branch, a tag (by its full name) or a commit, without history, into ``ref`` of the repository."""
        options = ("--quiet", "--depth=1", "--no-tags", "--no-auto-gc", "--no-recurse-submodules", "--force")
        refspec = f"+{what}:{ref}"
        command = ("fetch", *options, "--no-write-fetch-head", "--end-of-options", remote.url, refspec)
        try:
            with self.traffic.request("fetch", "git"):
                self._run(*command, git_dir=git_dir, remote=remote, transfers=True)
        except SyncError as error:
            _sweep_packs(git_dir)
            if isinstance(error, BranchNotFound) or (
                isinstance(error, ObjectNotGiven) and OID.fullmatch(what.encode())
            ):
                raise self.explain_missing(remote, what) from None
            raise

    def index_pack(self, git_dir: Path, pack: Iterable[bytes]) -> None:
        """Check a pack and keep it. Raises GitFailed where it is broken, LimitExceeded where it is too large."""
        job = self._job(("index-pack", "--stdin", "--fix-thin", "--strict"), git_dir)
        try:
            with (
                self._processes.converse(job, lambda ended: self._check(job, ended)) as (stdin, _),
                suppress(BrokenPipeError),  # its end says why
            ):
                for piece in pack:
                    stdin.write(piece)
        except BaseException:
            _sweep_packs(git_dir)
            raise

    @contextmanager
    def objects(self, git_dir: Path) -> Iterator[Objects]:
        """The objects of a bare repository, by one ``git cat-file``."""
        job = self._job(("cat-file", "--batch-command", "--buffer"), git_dir)
        with self._processes.converse(job, lambda ended: self._check(job, ended)) as (questions, answers):
            yield Objects(questions, answers)

    def repack(self, git_dir: Path) -> None:
        """Leave one pack of what the refs reach."""
        self._run("repack", "-a", "-d", "-q", git_dir=git_dir, transfers=True)

    def _ask(self, remote: Remote, *arguments: str) -> list[tuple[str, str]]:
        with self.traffic.request("ask", "git"):
            try:
                output = self._run("ls-remote", *arguments, remote=remote, limits=self._asking)
            except LimitExceeded:
                raise LimitExceeded(missing.TOO_MANY) from None
        lines = [line.partition("\t") for line in output.decode("utf-8", "replace").splitlines()]
        return [(value, name) for value, tab, name in lines if tab]

    def explain_missing(self, remote: Remote, what: str) -> SyncError:
        """Why the repository has no such branch or tag (by its full name) or commit, and which it has."""
        if what.startswith("refs/heads/"):
            return missing.branch(what.removeprefix("refs/heads/"), self._names(remote, "--heads"))
        if what.startswith("refs/tags/"):
            found = self._names(remote, "--tags", "--refs", "--sort=-v:refname")
            return missing.tag(what.removeprefix("refs/tags/"), found)
        return missing.commit(what)

    def _names(self, remote: Remote, *which: str) -> list[str] | None:
        """The names of all branches or tags, or None where there are more than are read."""
        try:
            found = self._ask(remote, *which, "--end-of-options", remote.url)
        except LimitExceeded:
            return None
        return [diagnosis.clean(name.split("/", 2)[-1], remote.secrets()) for _, name in found]

    def _run(
        self,
        *arguments: str,
        git_dir: Path | None = None,
        remote: Remote | None = None,
        transfers: bool = False,
        limits: ProcessLimits | None = None,
    ) -> bytes:
        job = self._job(arguments, git_dir, remote, transfers=transfers, limits=limits)
        with tempfile.TemporaryFile() as output:
            self._check(job, self._processes.run(job, output), remote)
            output.seek(0)
            return output.read(_MAX_OUTPUT)

    def _job(
        self,
        arguments: tuple[str, ...],
        git_dir: Path | None,
        remote: Remote | None = None,
        *,
        transfers: bool = True,
        limits: ProcessLimits | None = None,
    ) -> Job:
        where = (f"--git-dir={git_dir}",) if git_dir else ()
        pinned = hardening.pin(remote.url, self._addresses.of(remote.url)) if remote else {}
        login = remote.login() if remote else {}
        environment = hardening.environment({**self._config, **pinned}, git_dir, login)
        seconds, flag = (
            (self._timeouts.transfer, "--git-transfer-time") if transfers else (self._timeouts.ask, "--git-ask-time")
        )
        return Job((*where, *arguments), environment, seconds, flag, limits or self._limits)

    def _check(self, job: Job, ended: Ended, remote: Remote | None = None) -> None:
        if ended.code:
            verb = next(each for each in job.arguments if not each.startswith("-"))
            secrets = remote.secrets() if remote else ()
            raise diagnosis.explain(verb, ended.code, ended.stderr, secrets=secrets, limits=job.limits)


def _sweep_packs(git_dir: Path) -> None:
    """Remove what is left of a fetch that failed: it is as large as the server liked to send (C4)."""
    for remains in git_dir.glob("objects/pack/tmp_*"):
        remains.unlink(missing_ok=True)
