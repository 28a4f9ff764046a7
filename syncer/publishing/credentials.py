"""A user name and a password or token from a Secret of a tenant, with a sentence for whatever is wrong with it."""

from collections.abc import Callable

from pages.core import Secret
from syncer.errors import SecretMissing
from syncer.git.remote import Credential
from syncer.sources import SecretKey

# The Secret of that namespace and name, or None where there is none.
ReadSecret = Callable[[str, str], Secret | None]
# Not the tokens and keys that Kubernetes and its controllers keep in Secrets (K2).
_SECRET_TYPES = ("Opaque", "kubernetes.io/basic-auth")


def read(read_secret: ReadSecret, wanted: SecretKey) -> Credential:
    """The credential. Raises SecretMissing, and what ``read_secret`` raises."""
    secret = read_secret(wanted.namespace, wanted.name)
    if secret is None:
        raise SecretMissing(f"there is no Secret {wanted.name!r} in namespace {wanted.namespace!r}; create it")
    if secret.type not in _SECRET_TYPES:
        raise SecretMissing(
            f"Secret {wanted.name!r} is of type {secret.type}; only {' and '.join(_SECRET_TYPES)} are read"
        )
    password = _value(wanted, secret.data, wanted.password_key)
    username = _value(wanted, secret.data, wanted.username_key) if wanted.username_key in secret.data else "git"
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
    value = value.removesuffix("\n")  # what `kubectl create secret --from-file` brings along
    if not value or not value.isprintable():
        raise SecretMissing(f"key {key!r} of Secret {secret.name!r} is empty or holds control characters")
    return value
