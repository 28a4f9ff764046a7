"""What a commit says about itself, read leniently: its author may have written anything."""

import re
from dataclasses import dataclass

from syncer.git.diagnosis import one_line

MAX_BYTES = 1 << 16  # as much of a commit as is looked at
_MAX_SUBJECT = 200
_LATEST = 253_402_300_799  # the last second of the year 9999
_AUTHORED = re.compile(rb"author [^\n]*> (-?[0-9]{1,12}) [+-][0-9]{4}")


@dataclass(frozen=True)
class CommitHeader:
    """When a commit was ``authored`` (epoch seconds), if it says so, and the subject of its message."""

    authored: int | None = None
    subject: str = ""


def read(raw: bytes) -> CommitHeader:
    """Of a commit object's content, or its beginning."""
    head, _, message = raw.partition(b"\n\n")
    return CommitHeader(_authored(head), _subject(message))


def _authored(head: bytes) -> int | None:
    match = next(filter(None, map(_AUTHORED.fullmatch, head.split(b"\n"))), None)
    moment = int(match[1]) if match else -1
    return moment if 0 <= moment <= _LATEST else None


def _subject(message: bytes) -> str:
    """The first paragraph in one line, as git has it, of printable characters."""
    paragraph = re.split(rb"\n[ \t\r]*\n", message.lstrip(), maxsplit=1)[0]
    return one_line(paragraph.decode("utf-8", "replace"), _MAX_SUBJECT)
