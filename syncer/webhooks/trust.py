"""Who may ask for what: the platform's webhook secret, and each site's ``status.syncToken`` (W7, K4).

Who may read a site may ask for a sync of it, and of nothing else.
"""

import hashlib
import hmac
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

if TYPE_CHECKING:  # the command line only carries the secrets to where sites are
    from pages.api import StaticSite

MIN_KEY_BYTES = 32


def sync_token(key: bytes, uid: str) -> str:
    """The token of the site with that uid; a site created anew has another."""
    return hmac.new(key, f"sync-token:{uid}".encode(), hashlib.sha256).hexdigest()


@dataclass(frozen=True)
class Trust:
    """The secrets. Without ``platform_secret`` only sites' own tokens are believed, without ``token_key`` only that."""

    platform_secret: bytes | None = field(default=None, repr=False)
    token_key: bytes | None = field(default=None, repr=False)

    def sync_token(self, site: "StaticSite") -> str | None:
        """The site's token, where there are tokens."""
        return sync_token(self.token_key, site.metadata.uid) if self.token_key else None

    def opens(self, site: "StaticSite | None", token: str | None) -> bool:
        """Whether the token is the site's; that of no site takes as long to find wrong (W8)."""
        if self.token_key is None or token is None:
            return False
        expected = sync_token(self.token_key, site.metadata.uid if site else "")
        return hmac.compare_digest(token.encode("utf-8", "surrogatepass"), expected.encode()) and site is not None
