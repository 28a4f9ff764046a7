"""The lines of a file that a stranger wrote, and what is wrong with them: both are bounded."""

from collections.abc import Iterator
from contextlib import contextmanager
from urllib.parse import quote

from pages.api import Problem

MAX_BYTES = 64 << 10
MAX_LINES = 2_000
MAX_LINE_LENGTH = 4_096
MAX_PROBLEMS = 20
_MAX_MESSAGE = 300


class BadLine(ValueError):
    """A line that is no rule; the text says why."""


class Lines:
    """Goes over a file's lines, by number from 1, and collects what is wrong with them."""

    def __init__(self, file: str, content: bytes) -> None:
        self._file = file
        self._content = content
        self.problems: list[Problem] = []

    def __iter__(self) -> Iterator[tuple[int, str]]:
        """The lines that can be read."""
        text = self._content.decode("utf-8-sig", "replace").replace("\r\n", "\n").replace("\r", "\n")
        for number, line in enumerate(text.split("\n"), 1):
            if number > MAX_LINES:
                self.note(number, f"there are more than {MAX_LINES:,} lines; those below are left out")
                return
            if len(line) > MAX_LINE_LENGTH:
                self.note(number, f"the line has more than {MAX_LINE_LENGTH:,} characters")
            elif "\ufffd" in line or any(ord(each) < ord(" ") and each != "\t" for each in line):
                self.note(number, "the line holds control characters or is no UTF-8")
            else:
                yield number, line

    @contextmanager
    def noting(self, number: int) -> Iterator[None]:
        """A BadLine within is noted, and the next line comes."""
        try:
            yield
        except BadLine as error:
            self.note(number, str(error))

    def note(self, number: int, message: str) -> None:
        """Take note of a problem; the last that there is room for only says that there are more."""
        if len(self.problems) == MAX_PROBLEMS - 1:
            message = "what is wrong from here on is not listed: mend the lines above first"
        if len(self.problems) < MAX_PROBLEMS:
            self.problems.append(Problem(file=self._file, line=number, message=message[:_MAX_MESSAGE]))


def ascii_only(text: str) -> str:
    """What a browser makes of a path in other letters."""
    return text if text.isascii() else "".join(each if each.isascii() else quote(each) for each in text)
