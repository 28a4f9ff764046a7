"""The lines of a file that a stranger wrote. Pure."""

import codecs
from collections.abc import Iterator

from syncer.content.rules.findings import Findings, Place

MAX_BYTES = 1 << 20
MAX_LINE_LENGTH = 16 << 10
_UTF_16 = (codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)


def read(file: str, content: bytes, findings: Findings) -> Iterator[tuple[Place, str]]:
    """The lines that hold something, trimmed; what cannot be read is refused."""
    if len(content) > MAX_BYTES:
        findings.refuse(Place(file, 1), f"the file has more than {MAX_BYTES >> 20} MiB; nothing of it is used")
        return
    if content.startswith(_UTF_16):
        findings.refuse(Place(file, 1), "the file is UTF-16 and nothing of it is used; save it as UTF-8")
        return
    text = content.decode("utf-8-sig", "replace").replace("\r\n", "\n").replace("\r", "\n")
    for number, line in enumerate(text.split("\n"), 1):
        place, trimmed = Place(file, number), line.strip(" \t")
        if not trimmed or trimmed.startswith("#"):
            continue
        if len(trimmed) > MAX_LINE_LENGTH:
            findings.refuse(place, f"the line has more than {MAX_LINE_LENGTH:,} characters")
        elif "\ufffd" in trimmed:
            findings.refuse(place, "the line is not UTF-8")
        elif any(each < " " and each != "\t" for each in trimmed):
            findings.refuse(place, "the line holds a control character")
        else:
            yield place, trimmed
