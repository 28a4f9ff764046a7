"""A site's ``status.syncToken``: who may read the site may ask for a sync of it, and of nothing else (K4)."""

import hashlib
import hmac

MIN_KEY_BYTES = 32


def sync_token(key: bytes, uid: str) -> str:
    """The token of the site with that uid; a site created anew has another."""
    return hmac.new(key, f"sync-token:{uid}".encode(), hashlib.sha256).hexdigest()
