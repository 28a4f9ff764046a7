"""Bearer tokens for hooks that callers outside the pod can reach: only callers with a token may call them (H1)."""

import hmac
from pathlib import Path


class NoToken(Exception):
    """The folder holds no token, so every call would be rejected."""


class Tokens:
    """The tokens in the files of a folder, such as a mounted Secret. The files are read again for each call.

    To replace a token without downtime, add a second file, update the caller, and remove the first file.
    """

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        if not self._read():
            raise NoToken(f"{folder} holds no token; add a file with one, for example from `openssl rand -hex 32`")

    def admits(self, authorization: str) -> bool:
        """Whether the Authorization header holds one of the tokens."""
        scheme, _, presented = authorization.partition(" ")
        # A list, so that every token is compared: the time must not depend on which one matches.
        matches = [hmac.compare_digest(presented.strip().encode(), token) for token in self._read()]
        return scheme.lower() == "bearer" and any(matches)

    def _read(self) -> list[bytes]:
        """The tokens, without the hidden files that a Secret's volume contains."""
        files = [file for file in self._folder.iterdir() if not file.name.startswith(".") and file.is_file()]
        return [token for token in (file.read_bytes().strip() for file in files) if token]
