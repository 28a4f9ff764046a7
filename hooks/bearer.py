"""Who may call the hooks where they are not on the loopback of their caller (H1): whoever shows a token of ours."""

import hmac
from pathlib import Path


class NoToken(Exception):
    """There is no token at all, so nobody could call."""


class Tokens:
    """The files of a folder, such as a mounted Secret: each holds a token, read anew each time.

    Two files are two tokens, of which the older may go when the caller has learned the newer.
    """

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        if not self._read():
            raise NoToken(f"{folder} holds no token: put a file into it, such as one made by openssl rand -hex 32")

    def admits(self, authorization: str) -> bool:
        """Whether the header shows one of the tokens."""
        scheme, _, shown = authorization.partition(" ")
        known = [hmac.compare_digest(shown.strip().encode(), token) for token in self._read()]
        return scheme.lower() == "bearer" and any(known)

    def _read(self) -> list[bytes]:
        """A Secret's volume has dot-files beside its entries."""
        files = [file for file in self._folder.iterdir() if not file.name.startswith(".") and file.is_file()]
        return [token for token in (file.read_bytes().strip() for file in files) if token]
