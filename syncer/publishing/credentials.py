"""A user name and a password or token from a tenant's Secret, with a sentence for everything that is wrong with it."""

from typing import Protocol

from pages.core import Secret
from syncer.errors import SecretMissing
from syncer.git.remote import Credential
from syncer.sources import SecretKey

# Not the tokens and keys that Kubernetes and its controllers keep in Secrets (K2).
_SECRET_TYPES = ("Opaque", "kubernetes.io/basic-auth")


class Secrets(Protocol):
    """Where Secrets are read."""

    def secret(self, namespace: str, name: str) -> Secret | None:
        """The Secret, or None if it does not exist. Raises a SyncError if it must not be read."""


def read(secrets: Secrets, key: SecretKey) -> Credential:
    """The credential. Raises SecretMissing, and what ``secrets`` raises."""
    secret = secrets.secret(key.namespace, key.name)
    if secret is None:
        raise SecretMissing(f"Secret {key.name!r} does not exist in namespace {key.namespace!r}; create it")
    if secret.type not in _SECRET_TYPES:
        raise SecretMissing(f"Secret {key.name!r} has type {secret.type}; use {' or '.join(_SECRET_TYPES)}")
    password = _value(key, secret.data, key.password_key)
    username = _value(key, secret.data, key.username_key) if key.username_key in secret.data else "git"
    return Credential(username, password)


def _value(secret: SecretKey, data: dict[str, bytes], key: str) -> str:
    if key not in data:
        has = ", ".join(sorted(data)) or "none"
        raise SecretMissing(
            f"Secret {secret.name!r} has no key {key!r} (it has: {has}); add it or set spec.secretRef.key"
        )
    try:
        value = data[key].decode()
    except UnicodeDecodeError:
        value = "\0"
    value = value.removesuffix("\n")  # `kubectl create secret --from-file` adds it
    if not value or not value.isprintable():
        raise SecretMissing(f"Secret {secret.name!r}: key {key!r} is empty or has control characters; replace it")
    return value
