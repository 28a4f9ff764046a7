"""Signatures of deliveries, compared in constant time, and as bytes: text that is not ASCII would raise (W2)."""

import hashlib
import hmac


def sha256_hex(key: bytes, signed: bytes) -> bytes:
    """HMAC-SHA256 in lower-case hexadecimal, as all forges write it."""
    return hmac.new(key, signed, hashlib.sha256).hexdigest().encode()


def equal(sent: str | None, expected: bytes) -> bool:
    """Whether the header has the expected value; a missing one never has."""
    return sent is not None and hmac.compare_digest(sent.encode("utf-8", "surrogatepass"), expected)
