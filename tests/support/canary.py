"""Places and spellings in which a secret could show."""

import base64
import threading
from pathlib import Path
from typing import Self
from urllib.parse import quote


class CommandLines:
    """Collects the command lines of all processes continuously."""

    def __init__(self) -> None:
        self.seen: set[bytes] = set()
        self._stopping = threading.Event()
        self._thread = threading.Thread(target=self._look)

    def _look(self) -> None:
        while not self._stopping.wait(0.002):
            for process in Path("/proc").iterdir():
                try:
                    self.seen.add((process / "cmdline").read_bytes())
                except OSError:
                    continue

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._stopping.set()
        self._thread.join()


def spellings(text: str) -> list[bytes]:
    basic = base64.b64encode(f"deploy:{text}".encode())
    return [
        text.encode(),
        base64.b64encode(text.encode()).rstrip(b"="),
        basic.rstrip(b"="),
        quote(text, safe="").encode(),
    ]
