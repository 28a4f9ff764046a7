"""``spec.basicAuth``: from a tenant's Secret to the file against which nginx checks passwords.

Traefik tells nginx that a site needs a password as soon as its StaticSite does. Nginx rejects visitors who are not in
the file, and all visitors if there is no file: every failure here leaves a site closed
(docs/decisions/0017-passwords-are-asked-for-by-nginx.md).
"""

import re

from pages.api import StaticSite
from syncer.errors import SecretForbidden, SiteClosed
from syncer.publishing.credentials import Secrets
from syncer.volume.releases import Releases

KEYS = ("users", "auth")
MAX_USERS = 100
MAX_BYTES = 16 << 10
MAX_BCRYPT_COST = 6
_TYPES = ("Opaque",)
_NAME = re.compile(r"[!-9;-~]{1,64}")  # no colon, no space
_BCRYPT = re.compile(r"\$2[aby]\$([0-9]{2})\$[./A-Za-z0-9]{53}")
_HASHES = (
    _BCRYPT,
    re.compile(r"\$apr1\$[./A-Za-z0-9]{1,8}\$[./A-Za-z0-9]{22}"),
    re.compile(r"\{SHA\}[+/A-Za-z0-9]{27}="),
)


class Visitors:
    """Keeps the file of each site in step with its Secret."""

    def __init__(self, secrets: Secrets, releases: Releases) -> None:
        self._secrets = secrets
        self._releases = releases

    def follow(self, site: StaticSite) -> None:
        """Admit only the users in the Secret. Raises SiteClosed, and SecretUnreadable, after which nothing changes."""
        key = site.site_key
        if site.spec.basic_auth is None:
            self._releases.write_users(key, None)
            return
        try:
            users = self._users(site.metadata.namespace, site.spec.basic_auth.secret_ref.name)
        except SiteClosed:
            self._releases.write_users(key, None)
            raise
        self._releases.write_users(key, users)

    def _users(self, namespace: str, name: str) -> bytes:
        try:
            secret = self._secrets.secret(namespace, name)
        except SecretForbidden as error:
            raise SiteClosed(f"the site is closed to all visitors: {error}", error.remedy) from error
        if secret is None:
            raise _closed(f"Secret {name!r} does not exist in namespace {namespace!r}; create it")
        if secret.type not in _TYPES:
            raise _closed(f"Secret {name!r} has type {secret.type}; use Opaque")
        content = next((secret.data[key] for key in KEYS if key in secret.data), None)
        if content is None:
            has = ", ".join(sorted(secret.data)) or "none"
            raise _closed(
                f"Secret {name!r} has no key 'users' or 'auth' (it has: {has}); add an htpasswd file as users"
            )
        try:
            return users(content)
        except ValueError as error:
            raise _closed(f"Secret {name!r}: {error}") from None


def users(content: bytes) -> bytes:
    """An htpasswd file for nginx. Raises ValueError, which never quotes the content of the file."""
    if len(content) > MAX_BYTES:
        raise ValueError(f"the htpasswd file has more than {MAX_BYTES >> 10} KiB")
    hashes: dict[str, str] = {}
    for number, line in enumerate(content.decode("ascii", "replace").splitlines(), 1):
        text = line.strip()
        if not text or text.startswith("#"):
            continue
        name, _, hashed = text.partition(":")
        if not _NAME.fullmatch(name):
            raise ValueError(f"line {number} is not `name:hash`; create it with `htpasswd -nB name`")
        _check_hash(hashed, number)
        hashes.setdefault(name, hashed)
    if not 0 < len(hashes) <= MAX_USERS:
        raise ValueError(f"the htpasswd file must have 1 to {MAX_USERS} users, not {len(hashes)}")
    return "".join(f"{name}:{hashed}\n" for name, hashed in hashes.items()).encode()


def _check_hash(hashed: str, number: int) -> None:
    if not any(form.fullmatch(hashed) for form in _HASHES):
        raise ValueError(
            f"line {number} has an unknown hash: use bcrypt ($2y$), MD5 ($apr1$) or {{SHA}}; "
            "create it with `htpasswd -nB name`"
        )
    bcrypt = _BCRYPT.fullmatch(hashed)
    if bcrypt and not int(bcrypt[1]) <= MAX_BCRYPT_COST:
        raise ValueError(
            f"line {number} has a bcrypt hash of cost {int(bcrypt[1])}, which is too slow to check at each request; "
            f"the maximum is {MAX_BCRYPT_COST}: create it with `htpasswd -nB name`"
        )


def _closed(problem: str) -> SiteClosed:
    return SiteClosed(f"the site is closed to all visitors: {problem}")
