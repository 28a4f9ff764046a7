"""Who may request a sync: holders of the platform's webhook secret, or of a site's ``status.syncToken`` (W7, K4).

Users who may read a site may request a sync of that site, and of no other.
"""

import hashlib
import hmac
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

if TYPE_CHECKING:  # the command line needs the secrets only, and no pydantic
    from pages.api import StaticSite

MIN_KEY_BYTES = 32


def sync_token(key: bytes, uid: str) -> str:
    """The token of the site with that uid; a recreated site has another."""
    return hmac.new(key, f"sync-token:{uid}".encode(), hashlib.sha256).hexdigest()


@dataclass(frozen=True)
class Trust:
    """The secrets. Without ``platform_secret`` only the sites' tokens count, without ``token_key`` only that secret."""

    platform_secret: bytes | None = field(default=None, repr=False)
    token_key: bytes | None = field(default=None, repr=False)

    def sync_token(self, site: "StaticSite") -> str | None:
        """The site's token, if sites have tokens."""
        return sync_token(self.token_key, site.metadata.uid) if self.token_key else None

    def opens(self, site: "StaticSite | None", token: str | None) -> bool:
        """Whether the token is the site's. The check takes as long where the site does not exist (W8)."""
        if self.token_key is None or token is None:
            return False
        expected = sync_token(self.token_key, site.metadata.uid if site else "")
        return hmac.compare_digest(token.encode("utf-8", "surrogatepass"), expected.encode()) and site is not None
