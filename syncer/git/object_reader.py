"""Reads the objects of a bare repository by ``git cat-file``."""

import re
from collections.abc import Iterator, Sequence
from contextlib import suppress
from typing import IO

from syncer.errors import GitFailed, LimitExceeded
from syncer.git import commits

OID = re.compile(rb"[0-9a-f]{40}(?:[0-9a-f]{24})?")  # of SHA-1, or SHA-256
_ASKED_AT_ONCE = 500  # names that surely fit into a pipe, so that neither side blocks the other
_MAX_TREE_BYTES = 16 << 20


class Objects:
    """A conversation with ``git cat-file --batch-command``."""

    def __init__(self, questions: IO[bytes], answers: IO[bytes]) -> None:
        self._questions = questions
        self._answers = answers

    def find(self, name: str) -> tuple[str, str] | None:
        """The id and type of the object with that name (``COMMIT:path``), or None."""
        self._ask("info", [name])
        header = self._answers.readline().split()
        if len(header) != 3 or not OID.fullmatch(header[0]):  # noqa: PLR2004 - "ID TYPE SIZE", or "NAME missing"
            return None
        return header[0].decode(), header[1].decode()

    def contents(self, oids: Sequence[str]) -> Iterator[tuple[str, int, IO[bytes]]]:
        """For each blob its id, its size in bytes, and a stream; read exactly that many bytes before the next one.

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
                raise LimitExceeded("a folder of the repository has too many files; publish less with spec.path")
            yield self._answers.read(size)
            self._skip(1)

    def commit(self, oid: str) -> bytes | None:
        """The beginning of a commit, or None for another kind of object. Raises GitFailed where it is missing."""
        named = self.find(oid)
        if named is None:
            raise GitFailed(f"the mirror lacks commit {oid}; it is fetched again")
        if named[1] != "commit":
            return None
        for _, size in self._ask_for("contents", [oid], b"commit"):
            content = self._answers.read(min(size, commits.MAX_BYTES))
            self._skip(size - len(content) + 1)
        return content

    def _ask_for(self, command: str, oids: Sequence[str], kind: bytes) -> Iterator[tuple[str, int]]:
        for start in range(0, len(oids), _ASKED_AT_ONCE):
            batch = oids[start : start + _ASKED_AT_ONCE]
            self._ask(command, batch)
            for oid in batch:
                header = self._answers.readline().split()
                if header[:2] != [oid.encode(), kind]:
                    raise GitFailed(f"the mirror lacks {kind.decode()} {oid}; it is fetched again")
                yield oid, int(header[2])

    def _ask(self, command: str, names: Sequence[str]) -> None:
        with suppress(BrokenPipeError):  # there is no answer then, and the exit code says why
            lines = "".join(f"{command} {name}\n" for name in names)
            self._questions.write(f"{lines}flush\n".encode())

    def _skip(self, size: int) -> None:
        while size and (chunk := self._answers.read(min(size, 1 << 18))):
            size -= len(chunk)
