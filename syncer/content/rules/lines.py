"""The lines of a file that a stranger wrote. Pure."""

import codecs
from collections.abc import Iterator

from syncer.content.rules.findings import Findings, Place

MAX_BYTES = 1 << 20
MAX_LINES = 50_000
MAX_LINE_LENGTH = 16 << 10
_UTF_16 = (codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)


def read(file: str, content: bytes | None, findings: Findings) -> Iterator[tuple[Place, str]]:
    """The lines that hold something, trimmed; what cannot be read is refused."""
    if content is None or len(content) > MAX_BYTES:
        findings.refuse(Place(file, 1), f"the file has more than {MAX_BYTES >> 20} MiB; nothing of it is used")
        return
    if content.startswith(_UTF_16):
        findings.refuse(Place(file, 1), "the file is UTF-16 and nothing of it is used; save it as UTF-8")
        return
    text = content.decode("utf-8-sig", "replace").replace("\r\n", "\n").replace("\r", "\n")
    lines = [(number, line.strip(" \t")) for number, line in enumerate(text.split("\n"), 1)]
    written = [(number, line) for number, line in lines if line and not line.startswith("#")]
    if left_out := written[MAX_LINES:]:
        message = f"the file has more than {MAX_LINES:,} rules; {len(left_out):,} from here on are left out"
        findings.leave_out(Place(file, left_out[0][0]), len(left_out), message)
    for number, trimmed in written[:MAX_LINES]:
        place = Place(file, number)
        if len(trimmed) > MAX_LINE_LENGTH:
            findings.refuse(place, f"the line has more than {MAX_LINE_LENGTH:,} characters")
        elif "\ufffd" in trimmed:
            findings.refuse(place, "the line is not UTF-8")
        elif any(each < " " and each != "\t" for each in trimmed):
            findings.refuse(place, "the line holds a control character")
        else:
            yield place, trimmed
