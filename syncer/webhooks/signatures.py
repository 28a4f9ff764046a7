"""Signatures of deliveries, compared in constant time and as bytes: as text, a header that is not ASCII raises (W2)."""

import hashlib
import hmac


def sha256_hex(key: bytes, signed: bytes) -> bytes:
    """HMAC-SHA256 in lower-case hexadecimal, as all forges write it."""
    return hmac.new(key, signed, hashlib.sha256).hexdigest().encode()


def equal(sent: str | None, expected: bytes) -> bool:
    """Whether the header that was sent is what it has to be; none at all never is."""
    return sent is not None and hmac.compare_digest(sent.encode("utf-8", "surrogatepass"), expected)
