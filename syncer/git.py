"""The few git commands we run, hardened: nothing of the machine's configuration, no prompt, no redirect, no filter.

All that git is told stands in the environment of that one child, so neither a credential nor a setting is ever in
argv or on disk (threats, section 5).
"""

import os
import re
import tempfile
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path
from types import MappingProxyType
from typing import IO
from urllib.parse import urlsplit

from syncer import diagnosis
from syncer.addresses import Addresses
from syncer.errors import BranchNotFound, EmptyRepo, GitFailed, LimitExceeded, SyncError
from syncer.process import Ended, GitProcesses, Job, ProcessLimits
from syncer.smart_http import SmartHTTP

_OID = re.compile(rb"[0-9a-f]{40}(?:[0-9a-f]{24})?")
_MAX_OUTPUT = 1 << 20
_BRANCHES_NAMED = 8
_ASKED_AT_ONCE = 500  # as many names as surely fit into a pipe, so that neither side waits for the other
_MAX_TREE_BYTES = 16 << 20
_NOTHING_MORE: Mapping[str, str] = MappingProxyType({})
_NO_COMMIT = "the repository has no commits yet; push a first one"

# Answers for one host only: git would otherwise offer the secret to whatever host a server sends it to.
_CREDENTIAL_HELPER = (
    '!f() { [ "$1" = get ] || exit 0; h=; while IFS="=" read -r k v; do [ "$k" = host ] && h=$v; done; '
    '[ "$h" = "$PAGES_HOST" ] || exit 0; '
    'printf "username=%s\\npassword=%s\\n" "$PAGES_USERNAME" "$PAGES_PASSWORD"; }; f'
)
_CONFIG = {
    "protocol.allow": "never",
    "protocol.http.allow": "always",  # only after AllowedHosts has admitted the URL
    "protocol.https.allow": "always",
    "protocol.version": "2",
    "http.followRedirects": "false",  # a credential would follow (U10)
    "http.sslVerify": "true",
    "http.proxy": "",
    "http.lowSpeedLimit": "1000",
    "http.lowSpeedTime": "20",
    "http.cookieFile": "",
    "http.saveCookies": "false",
    "transfer.credentialsInUrl": "die",
    "transfer.bundleURI": "false",
    "core.sshCommand": "/bin/false",
    "core.gitProxy": "/bin/false",
    "fetch.fsckObjects": "true",
    "transfer.fsckObjects": "true",
    "fetch.unpackLimit": "1",
    "fetch.recurseSubmodules": "false",
    "submodule.recurse": "false",
    "core.fsync": "none",  # a mirror may be lost at any time, and waiting for the disk is half of a small fetch
    "core.hooksPath": "/dev/null",
    "core.fsmonitor": "false",
    "core.attributesFile": "/dev/null",
    "core.alternateRefsCommand": "/bin/false",
    "gc.auto": "0",
    "maintenance.auto": "false",
    "safe.bareRepository": "explicit",
    "pack.threads": "1",
    "pack.windowMemory": "64m",
    "core.deltaBaseCacheLimit": "32m",
    "core.packedGitLimit": "256m",
    "core.bigFileThreshold": "8m",
}


@dataclass(frozen=True)
class Credential:
    """What a private repository asks for; the password never shows."""

    username: str
    password: str = field(repr=False)


@dataclass(frozen=True)
class Remote:
    """A repository by its canonical URL, and what opens it."""

    url: str
    credential: Credential | None = None


@dataclass(frozen=True)
class Timeouts:
    """Seconds of wall clock for a question to a server or a mirror, and for a transfer or a whole release."""

    ask: float = 30
    transfer: float = 120


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
    ) -> None:
        self._timeouts = timeouts or Timeouts()
        self._addresses = addresses or Addresses()
        self.server = SmartHTTP(self._addresses.of, seconds=self._timeouts.ask)
        self._processes = GitProcesses(limits or ProcessLimits())
        self._config = _CONFIG | ({"protocol.file.allow": "always"} if local else {})

    @property
    def timeouts(self) -> Timeouts:
        """How long servers may take."""
        return self._timeouts

    def close(self) -> None:
        """Stop all children and questions now; those started later fail."""
        self.server.close()
        self._processes.close()

    def branch_head(self, remote: Remote, branch: str) -> str:
        """The commit at the tip of the branch (``git ls-remote``). Raises a SyncError such as BranchNotFound."""
        ref = f"refs/heads/{branch}"
        heads = self._ask(remote, "--end-of-options", remote.url, ref)
        # The pattern also matches a tag or the tail of a longer branch name (R2).
        commit = next((oid for oid, name in heads if name == ref and _OID.fullmatch(oid.encode())), None)
        if commit is None:
            raise self.explain_missing(remote, branch)
        return commit

    def default_branch(self, remote: Remote) -> str:
        """The branch that the repository's HEAD names. Raises a SyncError such as EmptyRepo."""
        for target, name in self._ask(remote, "--symref", "--end-of-options", remote.url, "HEAD"):
            if name == "HEAD" and target.startswith("ref: refs/heads/"):
                return target.removeprefix("ref: refs/heads/")
        raise EmptyRepo(_NO_COMMIT)

    def fetch(self, git_dir: Path, remote: Remote, branch: str, ref: str) -> None:
        """Bring the branch's tip, without history, into ``ref`` of the bare repository."""
        options = ("--quiet", "--depth=1", "--no-tags", "--no-auto-gc", "--no-recurse-submodules", "--force")
        refspec = f"+refs/heads/{branch}:{ref}"
        command = ("fetch", *options, "--no-write-fetch-head", "--end-of-options", remote.url, refspec)
        try:
            self._run(*command, git_dir=git_dir, remote=remote, seconds=self._timeouts.transfer)
        except BranchNotFound:
            raise self.explain_missing(remote, branch) from None

    def index_pack(self, git_dir: Path, pack: Iterable[bytes]) -> None:
        """Check a pack and keep it. Raises GitFailed where it is broken or incomplete."""
        job = self._job(("index-pack", "--stdin", "--fix-thin", "--strict"), git_dir)
        with (
            self._processes.converse(job, lambda ended: _check(job, ended)) as (stdin, _),
            suppress(BrokenPipeError),  # its end says why
        ):
            for piece in pack:
                stdin.write(piece)

    @contextmanager
    def objects(self, git_dir: Path) -> Iterator["Objects"]:
        """The objects of a bare repository, by one ``git cat-file``."""
        job = self._job(("cat-file", "--batch-command", "--buffer"), git_dir)
        with self._processes.converse(job, lambda ended: _check(job, ended)) as (questions, answers):
            yield Objects(questions, answers)

    def repack(self, git_dir: Path) -> None:
        """Leave one pack of what the refs reach."""
        self._run("repack", "-a", "-d", "-q", git_dir=git_dir, seconds=self._timeouts.transfer)

    def _ask(self, remote: Remote, *arguments: str) -> list[tuple[str, str]]:
        output = self._run("ls-remote", *arguments, remote=remote)
        lines = [line.partition("\t") for line in output.decode("utf-8", "replace").splitlines()]
        return [(value, name) for value, tab, name in lines if tab]

    def explain_missing(self, remote: Remote, branch: str) -> SyncError:
        """Why the repository has no such branch, and which it has."""
        heads = self._ask(remote, "--heads", "--end-of-options", remote.url)
        if not heads:
            return EmptyRepo(_NO_COMMIT)
        names = [diagnosis.clean(name.removeprefix("refs/heads/")) for _, name in heads]
        more = ", …" if len(names) > _BRANCHES_NAMED else ""
        return BranchNotFound(
            f"the repository has no branch {branch!r}; push it, or set spec.branch to one it has: "
            f"{', '.join(names[:_BRANCHES_NAMED])}{more}"
        )

    def _run(
        self,
        *arguments: str,
        git_dir: Path | None = None,
        remote: Remote | None = None,
        seconds: float | None = None,
    ) -> bytes:
        job = self._job(arguments, git_dir, remote, seconds=seconds or self._timeouts.ask)
        with tempfile.TemporaryFile() as output_file:
            _check(job, self._processes.run(job, output_file), remote)
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
        seconds: float | None = None,
    ) -> Job:
        where = (f"--git-dir={git_dir}",) if git_dir else ()
        pinned = _pin(remote.url, self._addresses.of(remote.url)) if remote else _NOTHING_MORE
        environment = _environment({**self._config, **pinned}, git_dir, remote)
        return Job((*where, *arguments), environment, seconds or self._timeouts.transfer)


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


def _check(job: Job, ended: Ended, remote: Remote | None = None) -> None:
    if ended.code:
        verb = next(each for each in job.arguments if not each.startswith("-"))
        credential = remote.credential if remote else None
        raise diagnosis.explain(verb, ended.code, ended.stderr, secret=credential.password if credential else None)


def _pin(url: str, addresses: Sequence[str]) -> Mapping[str, str]:
    """The setting that keeps git from asking the DNS itself, which may answer differently a moment later (U9)."""
    parts = urlsplit(url)
    if not addresses or parts.hostname in addresses:
        return _NOTHING_MORE
    port = parts.port or {"http": 80, "https": 443}[parts.scheme]
    listed = ",".join(f"[{each}]" if ":" in each else each for each in addresses)
    return {"http.curloptResolve": f"{parts.hostname}:{port}:{listed}"}


def _environment(config: dict[str, str], git_dir: Path | None, remote: Remote | None) -> dict[str, str]:
    config = config | ({"safe.directory": str(git_dir)} if git_dir else {})
    variables = {
        "PATH": os.environ.get("PATH", os.defpath),
        "HOME": "/nonexistent",
        "XDG_CONFIG_HOME": "/nonexistent",
        "LC_ALL": "C",
        "GIT_CONFIG_NOSYSTEM": "1",
        "GIT_CONFIG_GLOBAL": "/dev/null",
        "GIT_ATTR_NOSYSTEM": "1",
        "GIT_TERMINAL_PROMPT": "0",
        "GIT_ASKPASS": "/bin/false",
        "SSH_ASKPASS": "/bin/false",
        "GIT_PROTOCOL_FROM_USER": "0",
        "GIT_NO_LAZY_FETCH": "1",
        "GIT_NO_REPLACE_OBJECTS": "1",
        "GIT_OPTIONAL_LOCKS": "0",
    }
    if remote and remote.credential:
        config["credential.helper"] = _CREDENTIAL_HELPER
        variables["PAGES_HOST"] = urlsplit(remote.url).netloc
        variables["PAGES_USERNAME"] = remote.credential.username
        variables["PAGES_PASSWORD"] = remote.credential.password
    variables["GIT_CONFIG_COUNT"] = str(len(config))
    for index, (key, value) in enumerate(config.items()):
        variables[f"GIT_CONFIG_KEY_{index}"] = key
        variables[f"GIT_CONFIG_VALUE_{index}"] = value
    return variables
