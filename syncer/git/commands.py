"""The few git commands we run, hardened (``hardening.py``) and bounded (``process.py``)."""

import base64
import re
import tempfile
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path
from types import MappingProxyType
from typing import IO
from urllib.parse import quote

from syncer.errors import (
    BranchNotFound,
    EmptyRepo,
    GitFailed,
    LimitExceeded,
    ObjectNotGiven,
    RevisionNotFound,
    SyncError,
)
from syncer.git import commits, diagnosis, hardening
from syncer.git.addresses import Addresses
from syncer.git.process import Ended, GitProcesses, Job
from syncer.git.smart_http import SmartHTTP
from syncer.git.traffic import Traffic
from syncer.limits import ProcessLimits, Timeouts

_OID = re.compile(rb"[0-9a-f]{40}(?:[0-9a-f]{24})?")
_OLDEST = (2, 39)
_MAX_OUTPUT = 1 << 20
_ABBREVIATED = re.compile(r"[0-9a-f]{7,39}")
_REFS_NAMED = 8
_ASKED_AT_ONCE = 500  # as many names as surely fit into a pipe, so that neither side waits for the other
_MAX_TREE_BYTES = 16 << 20
_NOTHING_MORE: Mapping[str, str] = MappingProxyType({})
_NO_COMMIT = "the repository has no commits yet; push a first one"


@dataclass(frozen=True)
class Credential:
    """What a private repository asks for; the password never shows."""

    username: str
    password: str = field(repr=False)

    def spellings(self) -> tuple[str, ...]:
        """The password as a server that saw it may write it into its answer (K1)."""
        basic = base64.b64encode(f"{self.username}:{self.password}".encode()).decode()
        return self.password, quote(self.password, safe=""), basic.rstrip("=")


@dataclass(frozen=True)
class Remote:
    """A repository by its canonical URL, and what opens it."""

    url: str
    credential: Credential | None = None

    def login(self) -> Mapping[str, str]:
        """The credential as variables for git's environment."""
        if self.credential is None:
            return _NOTHING_MORE
        return hardening.log_in(self.url, self.credential.username, self.credential.password)

    def secrets(self) -> tuple[str, ...]:
        """What must not show."""
        return self.credential.spellings() if self.credential else ()


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
        traffic: Traffic | None = None,
    ) -> None:
        self._timeouts = timeouts or Timeouts()
        self._addresses = addresses or Addresses()
        self._limits = limits or ProcessLimits()
        self.traffic = traffic or Traffic()
        self.server = SmartHTTP(self._addresses.of, seconds=self._timeouts.ask, received=self.traffic.received)
        self._processes = GitProcesses(self._limits)
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
        commits = {name: oid for oid, name in found if name in {ref, peeled} and _OID.fullmatch(oid.encode())}
        commit = commits.get(peeled) or commits.get(ref)
        if commit is None:
            raise self.explain_missing(remote, ref)
        return commit

    def default_branch(self, remote: Remote) -> str:
        """The branch that the repository's HEAD names. Raises a SyncError such as EmptyRepo."""
        for target, name in self._ask(remote, "--symref", "--end-of-options", remote.url, "HEAD"):
            if name == "HEAD" and target.startswith("ref: refs/heads/"):
                return target.removeprefix("ref: refs/heads/")
        raise EmptyRepo(_NO_COMMIT)

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
                isinstance(error, ObjectNotGiven) and _OID.fullmatch(what.encode())
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
    def objects(self, git_dir: Path) -> Iterator["Objects"]:
        """The objects of a bare repository, by one ``git cat-file``."""
        job = self._job(("cat-file", "--batch-command", "--buffer"), git_dir)
        with self._processes.converse(job, lambda ended: self._check(job, ended)) as (questions, answers):
            yield Objects(questions, answers)

    def repack(self, git_dir: Path) -> None:
        """Leave one pack of what the refs reach."""
        self._run("repack", "-a", "-d", "-q", git_dir=git_dir, transfers=True)

    def _ask(self, remote: Remote, *arguments: str) -> list[tuple[str, str]]:
        with self.traffic.request("ask", "git"):
            output = self._run("ls-remote", *arguments, remote=remote)
        lines = [line.partition("\t") for line in output.decode("utf-8", "replace").splitlines()]
        return [(value, name) for value, tab, name in lines if tab]

    def explain_missing(self, remote: Remote, what: str) -> SyncError:
        """Why the repository has no such branch or tag (by its full name) or commit, and which it has."""
        if what.startswith("refs/heads/"):
            return self._explain_branch(remote, what.removeprefix("refs/heads/"))
        if what.startswith("refs/tags/"):
            return self._explain_tag(remote, what.removeprefix("refs/tags/"))
        return RevisionNotFound(
            f"the git server has no commit {what}, or does not give it out by its id; check spec.revision, "
            "or push a tag for the commit and name that"
        )

    def _explain_branch(self, remote: Remote, branch: str) -> SyncError:
        heads = self._ask(remote, "--heads", "--end-of-options", remote.url)
        if not heads:
            return EmptyRepo(_NO_COMMIT)
        return BranchNotFound(
            f"the repository has no branch {branch!r}; push it, or set spec.branch to one it has: "
            f"{_named(remote, heads)}"
        )

    def _explain_tag(self, remote: Remote, tag: str) -> SyncError:
        tags = self._ask(remote, "--tags", "--refs", "--sort=-v:refname", "--end-of-options", remote.url)
        has = f"one it has ({_named(remote, tags)})" if tags else "a commit, for it has no tags"
        hint = "; a commit is written with all its digits" if _ABBREVIATED.fullmatch(tag) else ""
        return RevisionNotFound(
            f"the repository has no tag {tag!r}; push it, set spec.revision to {has}, or remove spec.revision "
            f"to follow the branch{hint}"
        )

    def _run(
        self,
        *arguments: str,
        git_dir: Path | None = None,
        remote: Remote | None = None,
        transfers: bool = False,
    ) -> bytes:
        job = self._job(arguments, git_dir, remote, transfers=transfers)
        with tempfile.TemporaryFile() as output_file:
            self._check(job, self._processes.run(job, output_file), remote)
            output_file.seek(0)
            output = output_file.read(_MAX_OUTPUT + 1)
        if len(output) > _MAX_OUTPUT:
            raise GitFailed("the git server's answer is far too long")
        return output

    def _job(
        self,
        arguments: tuple[str, ...],
        git_dir: Path | None,
        remote: Remote | None = None,
        *,
        transfers: bool = True,
    ) -> Job:
        where = (f"--git-dir={git_dir}",) if git_dir else ()
        pinned = hardening.pin(remote.url, self._addresses.of(remote.url)) if remote else _NOTHING_MORE
        login = remote.login() if remote else _NOTHING_MORE
        environment = hardening.environment({**self._config, **pinned}, git_dir, login)
        seconds, flag = (
            (self._timeouts.transfer, "--git-transfer-time") if transfers else (self._timeouts.ask, "--git-ask-time")
        )
        return Job((*where, *arguments), environment, seconds, flag)

    def _check(self, job: Job, ended: Ended, remote: Remote | None = None) -> None:
        if ended.code:
            verb = next(each for each in job.arguments if not each.startswith("-"))
            secrets = remote.secrets() if remote else ()
            raise diagnosis.explain(verb, ended.code, ended.stderr, secrets=secrets, limits=self._limits)


class Objects:
    """A conversation with ``git cat-file --batch-command``."""

    def __init__(self, questions: IO[bytes], answers: IO[bytes]) -> None:
        self._questions = questions
        self._answers = answers

    def find(self, name: str) -> tuple[str, str] | None:
        """The id and type of the object that is called so (``COMMIT:path``), or None."""
        self._ask("info", [name])
        header = self._answers.readline().split()
        if len(header) != 3 or not _OID.fullmatch(header[0]):  # noqa: PLR2004 - "ID TYPE SIZE", or "NAME missing"
            return None
        return header[0].decode(), header[1].decode()

    def contents(self, oids: Sequence[str]) -> Iterator[tuple[str, int, IO[bytes]]]:
        """For each blob its id, its size in bytes, and the stream to read exactly that many from before going on.

        Raises GitFailed where the repository lacks one.
        """
        for oid, size in self._ask_for("contents", oids, b"blob"):
            yield oid, size, self._answers
            self._skip(1)

    def sizes(self, oids: Sequence[str]) -> Iterator[int]:
        """The size in bytes of each blob. Raises GitFailed where the repository lacks one."""
        return (size for _, size in self._ask_for("info", oids, b"blob"))

    def trees(self, oids: Sequence[str]) -> Iterator[bytes]:
        """The content of each tree. Raises GitFailed where one is missing, LimitExceeded where one is huge."""
        for _, size in self._ask_for("contents", oids, b"tree"):
            if size > _MAX_TREE_BYTES:
                raise LimitExceeded("a folder of the repository has far too many files; publish less in spec.path")
            yield self._answers.read(size)
            self._skip(1)

    def commit(self, oid: str) -> bytes | None:
        """The beginning of a commit, or None where that is another kind of object. Raises GitFailed where it lacks."""
        found = self.find(oid)
        if found is None:
            raise GitFailed(f"the mirror lacks commit {oid}; it is fetched anew")
        if found[1] != "commit":
            return None
        for _, size in self._ask_for("contents", [oid], b"commit"):
            content = self._answers.read(min(size, commits.MAX_BYTES))
            self._skip(size - len(content) + 1)
        return content

    def _ask_for(self, command: str, oids: Sequence[str], kind: bytes) -> Iterator[tuple[str, int]]:
        for start in range(0, len(oids), _ASKED_AT_ONCE):
            some = oids[start : start + _ASKED_AT_ONCE]
            self._ask(command, some)
            for oid in some:
                header = self._answers.readline().split()
                if header[:2] != [oid.encode(), kind]:
                    raise GitFailed(f"the mirror lacks {kind.decode()} {oid}; it is fetched anew")
                yield oid, int(header[2])

    def _ask(self, command: str, names: Sequence[str]) -> None:
        with suppress(BrokenPipeError):  # then there is no answer, and its end says why
            lines = "".join(f"{command} {name}\n" for name in names)
            self._questions.write(f"{lines}flush\n".encode())

    def _skip(self, size: int) -> None:
        while size and (chunk := self._answers.read(min(size, 1 << 18))):
            size -= len(chunk)


def _named(remote: Remote, refs: Sequence[tuple[str, str]]) -> str:
    """The first few of the branches or tags."""
    names = [diagnosis.clean(ref.split("/", 2)[-1], remote.secrets()) for _, ref in refs[:_REFS_NAMED]]
    return ", ".join(names) + (", …" if len(refs) > _REFS_NAMED else "")


def _sweep_packs(git_dir: Path) -> None:
    """Remove what is left of a fetch that failed: it is as large as the server liked to send (C4)."""
    for remains in git_dir.glob("objects/pack/tmp_*"):
        remains.unlink(missing_ok=True)
