"""A repository at a git server, with its credential."""

import base64
from collections.abc import Mapping
from dataclasses import dataclass, field
from types import MappingProxyType
from urllib.parse import quote

from syncer.git import hardening

_NOTHING: Mapping[str, str] = MappingProxyType({})


@dataclass(frozen=True)
class Credential:
    """The login for a private repository; its password never appears in a repr."""

    username: str
    password: str = field(repr=False)

    def spellings(self) -> tuple[str, ...]:
        """The forms in which a server may quote the password in an answer (K1)."""
        basic = base64.b64encode(f"{self.username}:{self.password}".encode()).decode()
        return self.password, quote(self.password, safe=""), basic.rstrip("=")


@dataclass(frozen=True)
class Remote:
    """A repository by its canonical URL, with its credential."""

    url: str
    credential: Credential | None = None

    def login(self) -> Mapping[str, str]:
        """The credential as variables for git's environment."""
        if self.credential is None:
            return _NOTHING
        return hardening.log_in(self.url, self.credential.username, self.credential.password)

    def secrets(self) -> tuple[str, ...]:
        """The texts that no message may contain."""
        return self.credential.spellings() if self.credential else ()
