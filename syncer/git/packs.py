"""A branch's tip, fetched by one request of protocol 2 and one child: ``git index-pack``, which checks all of it.

``git fetch`` asks twice and starts five processes for the same; for a small site that was most of the time from push
to page (decision 10). What a server answers here is taken only where it is understood in full; the rest is git's.
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
    """A stream that gives as many bytes as are asked for, but at its end."""

    def read(self, size: int, /) -> bytes:
        """So many bytes."""


class Packs:
    """Fetches into bare repositories that nobody else writes to meanwhile."""

    def __init__(self, git: Git) -> None:
        self._git = git

    def fetch(self, folder: Path, remote: Remote, commit: str, ref: str) -> None:
        """Make ``ref`` the commit, without its history.

        Raises NotUnderstood, GitFailed or another SyncError; nothing has changed then.
        """
        haves = _oids(path.read_bytes() for path in folder.glob("refs/pages/*"))
        known = _read_shallow(folder)
        body = question(commit, haves, known & haves)
        seconds = self._git.timeouts.transfer
        with (
            self._git.traffic.request("fetch", "http"),
            self._git.server.stream(remote, "git-upload-pack", body, seconds, "--git-transfer-time") as answer,
        ):
            check_status(answer.head, remote)
            try:
                _write_shallow(folder, known | set(_read_shallow_info(answer.body)))  # repacking prunes it
                self._git.index_pack(folder, _pack(answer.body))
            except BaseException:
                _write_shallow(folder, known)
                raise
        set_ref(folder, ref, commit)


def set_ref(folder: Path, ref: str, commit: str) -> None:
    """Make the ref of a bare repository the commit."""
    (folder / ref).parent.mkdir(parents=True, exist_ok=True)
    _replace(folder / ref, f"{commit}\n")


def question(commit: str, haves: Collection[str], shallow: Collection[str]) -> bytes:
    """Give me this commit, without its parents; I have those, of which these are without theirs, too."""
    arguments = ["thin-pack", "no-progress", "ofs-delta", *(f"shallow {each}" for each in sorted(shallow))]
    arguments += ["deepen 1", f"want {commit}", *(f"have {each}" for each in sorted(haves)), "done"]
    lines = b"".join(packet(f"{each}\n".encode()) for each in arguments)
    return packet(b"command=fetch\n") + _FORMAT[len(commit)] + _DELIMITER + lines + _FLUSH


def _read_shallow_info(body: Readable) -> Iterator[str]:
    """The commits that come without their parents; leaves the stream where the pack begins."""
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
    """The pack in pieces, up to the flush: index-pack sees by itself where one is cut short or broken."""
    while (data := _packet(body)) is not None:
        if data[:1] == _DATA:
            yield data[1:]
        elif data[:1] != _PROGRESS:
            raise NotUnderstood


def _line(body: Readable) -> bytes | None:
    data = _packet(body)
    return None if data is None else data.rstrip(b"\n")


def _packet(body: Readable) -> bytes | None:
    """One packet, or None for what ends a section."""
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
    """Those that are whole: a mirror may be damaged."""
    return {line.strip().decode() for line in lines if OID.fullmatch(line.strip())}


def _write_shallow(folder: Path, commits: Collection[str]) -> None:
    if commits:
        _replace(folder / "shallow", "".join(f"{each}\n" for each in sorted(commits)))
    else:
        (folder / "shallow").unlink(missing_ok=True)


def _replace(path: Path, text: str) -> None:
    """As git does it, so that what a killed process leaves is what is swept away."""
    lock = path.with_name(f"{path.name}.lock")
    try:
        lock.write_text(text)
        lock.replace(path)
    finally:
        with suppress(FileNotFoundError):
            lock.unlink()
