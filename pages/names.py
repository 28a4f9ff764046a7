"""Every name and label that we generate, one function each, so that no two objects ever share a name.

A StaticSite's name is a DNS label without ``--`` and a namespace is a DNS label, so ``{namespace}--{name}`` is
unambiguous. None of these names contains a dot, while every domain does.
"""

import hashlib
import re
from collections.abc import Collection

SYSTEM_NAMESPACE = "kup6s-pages"
LABEL_MANAGED = "pages.kup6s.com/managed"
LABEL_SITE_NAME = "pages.kup6s.com/site-name"
LABEL_SITE_NAMESPACE = "pages.kup6s.com/site-namespace"
LABEL_DOMAIN = "pages.kup6s.com/domain"
_MAX_LABEL_VALUE = 63
_MAX_OBJECT_NAME = 253


def _digest(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()[:10]


def ingress_route(namespace: str, name: str) -> str:
    """The IngressRoute of a site."""
    return f"{namespace}--{name}"


def prefix_middleware(route: str) -> str:
    """The addPrefix Middleware of an IngressRoute, which turns a site's path into its folder on the volume."""
    return f"{route}-prefix"


def strip_middleware(route: str) -> str:
    """The stripPrefix Middleware of the IngressRoute of a site with a pathPrefix."""
    return f"{route}-strip"


def headers_middleware(route: str) -> str:
    """The Middleware of an IngressRoute whose headers tell nginx which site and prefix Traefik has chosen."""
    return f"{route}-headers"


def alias(namespace: str, name: str, domain: str) -> str:
    """The IngressRoute of an alias, which begins the names of its Middlewares.

    The name begins with the site's, which is unique to Traefik. The domain alone is not: Traefik turns both ``a-b.c``
    and ``a.b-c`` into ``a-b-c``.
    """
    return f"{namespace}--{name}-alias-{_digest(domain)}"


def https_redirect(domain: str) -> str:
    """The IngressRoute and the Middleware that redirect a domain from HTTP to HTTPS."""
    plain = f"{domain}-https"
    return plain if len(plain) <= _MAX_OBJECT_NAME else f"{domain[: _MAX_OBJECT_NAME - 17]}-{_digest(domain)}-https"


def traefik_key(namespace: str, name: str) -> str:
    """The key that Traefik derives from a site's object names: it replaces each run of other characters with a dash.

    Two sites with one key, such as ``a/b-c`` and ``a-b/c``, would share their Middlewares inside Traefik
    (docs/decisions/0004-names-in-traefik.md), so only one of them may be routed.
    """
    return re.sub(r"[^a-z0-9]+", "-", f"{namespace}-{name}")


def certificate(domain: str, taken: Collection[str] = ()) -> str:
    """The name of a domain's Certificate and of its Secret. It has a hash if the plain name is taken or too long."""
    plain = f"{domain.replace('.', '-')}-tls"
    if plain not in taken and len(plain) <= _MAX_OBJECT_NAME:
        return plain
    return f"{domain.replace('.', '-')[: _MAX_OBJECT_NAME - 15]}-{_digest(domain)}-tls"


def wildcard_certificate(pages_domain: str) -> str:
    """The Certificate for ``*.{pagesDomain}``. Its name has a dot, so no domain's certificate has the same one."""
    return f"wildcard.{pages_domain}"[:_MAX_OBJECT_NAME]


def site_root(namespace: str, name: str) -> str:
    """The folder of a site below nginx's root, which addPrefix puts in front of each path."""
    return f"/{namespace}/{name}"


def label_value(text: str) -> str:
    """``text`` as a label value. If it is longer than Kubernetes allows, it is cut and gets a hash."""
    return text if len(text) <= _MAX_LABEL_VALUE else f"{text[:52].rstrip('.-')}-{_digest(text)}"


def site_labels(namespace: str, name: str, domain: str) -> dict[str, str]:
    """The labels of every object generated for one site."""
    return domain_labels(domain) | {LABEL_SITE_NAMESPACE: namespace, LABEL_SITE_NAME: name}


def domain_labels(domain: str) -> dict[str, str]:
    """The labels of every object generated for one domain."""
    return {LABEL_MANAGED: "true", LABEL_DOMAIN: label_value(domain)}


def default_domain(name: str, pages_domain: str) -> str:
    """The domain of a site that does not set ``spec.domain``."""
    return f"{name}.{pages_domain.lower()}"
