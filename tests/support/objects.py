"""A StaticSite for a test: as a tenant writes it, as the API server keeps it, and as our programs read it."""

from typing import Any
from uuid import NAMESPACE_URL, uuid5

from pages.api import ALLOW_LOCAL, StaticSite

Object = dict[str, Any]
REPO = "https://forge.example.com/team/site"


def static_site(
    name: str = "site",
    namespace: str = "team",
    *,
    metadata: Object | None = None,
    status: Object | None = None,
    **spec: Any,
) -> Object:
    """The manifest that a tenant writes; a test names the fields that it is about, and what others add to it."""
    return {
        "apiVersion": "pages.kup6s.com/v1beta1",
        "kind": "StaticSite",
        "metadata": {"name": name, "namespace": namespace, **(metadata or {})},
        "spec": {"repo": REPO, **spec},
        **({"status": status} if status is not None else {}),
    }


def stored_site(name: str = "site", namespace: str = "team", *, metadata: Object | None = None, **more: Any) -> Object:
    """The same as the API server keeps it: with a uid, which belongs to this namespace and name."""
    uid = str(uuid5(NAMESPACE_URL, f"{namespace}/{name}"))
    return static_site(name, namespace, metadata={"uid": uid, **(metadata or {})}, **more)


def parsed_site(name: str = "site", namespace: str = "team", **more: Any) -> StaticSite:
    """The same as our programs read it."""
    return StaticSite.model_validate(stored_site(name, namespace, **more), context={ALLOW_LOCAL: True})
