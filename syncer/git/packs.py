"""Fetches a branch's tip by one request of protocol 2 and one child: ``git index-pack``, which checks all of it.

``git fetch`` asks twice and starts five processes for the same; for a small site that was most of the time from push
to page (decision 10). An answer that is not understood in full is left to git.
"""

from collections.abc import Collection, Iterable, Iterator
from contextlib import suppress
from pathlib import Path
from typing import Protocol

from syncer.git.commands import Git
from syncer.git.heads import NotUnderstood, check_status, packet
from syncer.git.object_reader import OID
from syncer.git.remote import Remote

_DELIMITER, _FLUSH = b"0001", b"0000"
_MAX_SHALLOW = 10_000
_FORMAT = {40: b"", 64: b"0019object-format=sha256\n"}  # by the digits of an id
_DATA, _PROGRESS = b"\x01", b"\x02"


class Readable(Protocol):
    """A stream that returns as many bytes as are requested, fewer only at its end."""

    def read(self, size: int, /) -> bytes:
        """Up to so many bytes."""


class Packs:
    """Fetches into bare repositories, while no other thread writes to them."""

    def __init__(self, git: Git) -> None:
        self._git = git

    def fetch(self, folder: Path, remote: Remote, commit: str, ref: str) -> None:
        """Make ``ref`` the commit, without its history.

        Raises NotUnderstood, GitFailed or another SyncError, and changes nothing then.
        """
        haves = _oids(path.read_bytes() for path in folder.glob("refs/pages/*"))
        shallow = _read_shallow(folder)
        body = question(commit, haves, shallow & haves)
        seconds = self._git.timeouts.transfer
        with (
            self._git.traffic.request("fetch", "http"),
            self._git.server.stream(remote, "git-upload-pack", body, seconds, "--git-transfer-time") as answer,
        ):
            check_status(answer.head, remote)
            try:
                _write_shallow(folder, shallow | set(_read_shallow_info(answer.body)))  # repacking prunes it
                self._git.index_pack(folder, _pack(answer.body))
            except BaseException:
                _write_shallow(folder, shallow)
                raise
        set_ref(folder, ref, commit)


def set_ref(folder: Path, ref: str, commit: str) -> None:
    """Point a ref of a bare repository to the commit."""
    (folder / ref).parent.mkdir(parents=True, exist_ok=True)
    _replace(folder / ref, f"{commit}\n")


def question(commit: str, haves: Collection[str], shallow: Collection[str]) -> bytes:
    """Request a commit without its parents, given the commits already there and which of them lack theirs."""
    arguments = ["thin-pack", "no-progress", "ofs-delta", *(f"shallow {each}" for each in sorted(shallow))]
    arguments += ["deepen 1", f"want {commit}", *(f"have {each}" for each in sorted(haves)), "done"]
    lines = b"".join(packet(f"{each}\n".encode()) for each in arguments)
    return packet(b"command=fetch\n") + _FORMAT[len(commit)] + _DELIMITER + lines + _FLUSH


def _read_shallow_info(body: Readable) -> Iterator[str]:
    """Yield the commits that come without their parents; leave the stream at the beginning of the pack."""
    section = _line(body)
    if section == b"shallow-info":
        for _ in range(_MAX_SHALLOW):
            if (line := _line(body)) is None:
                break
            word, _, commit = line.partition(b" ")
            if word == b"shallow" and OID.fullmatch(commit):
                yield commit.decode()
            elif word != b"unshallow":
                raise NotUnderstood
        section = _line(body)
    if section != b"packfile":
        raise NotUnderstood


def _pack(body: Readable) -> Iterator[bytes]:
    """Yield the pack in pieces, up to the flush: index-pack detects a pack that is cut short or broken."""
    while (data := _packet(body)) is not None:
        if data[:1] == _DATA:
            yield data[1:]
        elif data[:1] != _PROGRESS:
            raise NotUnderstood


def _line(body: Readable) -> bytes | None:
    data = _packet(body)
    return None if data is None else data.rstrip(b"\n")


def _packet(body: Readable) -> bytes | None:
    """One packet, or None at the end of a section."""
    head = body.read(4)
    if head in {_FLUSH, _DELIMITER}:
        return None
    try:
        size = int(head, 16) - 4
    except ValueError:
        raise NotUnderstood from None
    data = body.read(size) if size > 0 else b""
    if not data or len(data) < size:
        raise NotUnderstood
    return data


def _read_shallow(folder: Path) -> set[str]:
    try:
        return _oids((folder / "shallow").read_bytes().splitlines())
    except FileNotFoundError:
        return set()


def _oids(lines: Iterable[bytes]) -> set[str]:
    """The complete ids of the lines: a mirror may be damaged."""
    return {line.strip().decode() for line in lines if OID.fullmatch(line.strip())}


def _write_shallow(folder: Path, commits: Collection[str]) -> None:
    if commits:
        _replace(folder / "shallow", "".join(f"{each}\n" for each in sorted(commits)))
    else:
        (folder / "shallow").unlink(missing_ok=True)


def _replace(path: Path, text: str) -> None:
    """Write as git does, so that the sweep removes what a killed process leaves."""
    lock = path.with_name(f"{path.name}.lock")
    try:
        lock.write_text(text)
        lock.replace(path)
    finally:
        with suppress(FileNotFoundError):
            lock.unlink()
