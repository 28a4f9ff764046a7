"""The dashboard over HTTP. Who may see it is said by the proxy before it, by path: it asks for no password itself."""

import hashlib
from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from flask import Flask, Response, render_template, request
from werkzeug.exceptions import HTTPException, NotFound

from pages import sizes
from pages.api import SiteKey
from pages.conditions import find as find_condition
from syncer.dashboard import plain_words, times, urls
from syncer.dashboard.listing import STATES, Query, find, state_of
from syncer.dashboard.view import View
from syncer.service.sites import Seen

_STATIC = Path(__file__).parent / "static"
_TYPES = {"dashboard.css": "text/css", "dashboard.js": "text/javascript", "icon.svg": "image/svg+xml"}
_HEADERS = {
    "Content-Security-Policy": (
        "default-src 'none'; style-src 'self'; script-src 'self'; img-src 'self'; form-action 'self'; "
        "base-uri 'none'; frame-ancestors 'none'"
    ),
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
    "Referrer-Policy": "no-referrer",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
}
_RETRY_SECONDS = "5"


def create_app(view: View) -> Flask:
    """The WSGI application. Every address is relative, so that it may stand below a path of the proxy's."""
    app = Flask(__name__, static_folder=None)
    app.config.update(PROVIDE_AUTOMATIC_OPTIONS=False, MAX_CONTENT_LENGTH=0)
    app.url_map.merge_slashes = False
    app.jinja_env.trim_blocks = app.jinja_env.lstrip_blocks = True
    app.jinja_env.globals.update(version=_version(), urls=urls, words_of=plain_words.of, state_of=state_of)
    app.jinja_env.globals.update(titles=plain_words.TITLES, condition=find_condition)
    app.jinja_env.filters.update(moment=times.moment, ago=times.ago, ahead=times.ahead, size=sizes.show)
    _register_pages(app, view)
    _register_files(app)
    _register_answers(app)
    return app


def _register_pages(app: Flask, view: View) -> None:
    @app.get("/")
    def all_sites() -> str | Response:
        return _standby(view) or _list(view.sites.seen(), root="", namespace="")

    @app.get("/namespaces/<namespace>/")
    def of_namespace(namespace: str) -> str | Response:
        """That of a namespace shows nothing of any other: it may be shared with those who may see that one alone."""
        if answer := _standby(view, root="../../"):
            return answer
        sites = [seen for seen in view.sites.seen() if seen.site.metadata.namespace == namespace]
        if not sites:
            raise NotFound("There is no site in a namespace of that name.")
        return _list(sites, root="../../", namespace=namespace)

    @app.get("/namespaces/<namespace>/sites/<name>")
    def one_site(namespace: str, name: str) -> str | Response:
        if answer := _standby(view, root="../../../"):
            return answer
        seen = next((each for each in view.sites.seen() if each.site.site_key == SiteKey(namespace, name)), None)
        if seen is None:
            raise NotFound("There is no site of that name.")
        uid = seen.site.metadata.uid
        return _render(
            "site.html",
            root="../../../",
            seen=seen,
            site=seen.site,
            events=view.journal.of(uid),
            deliveries=view.deliveries.recent(uid),
            commit_status=view.commit_statuses.result(uid),
        )


def _register_files(app: Flask) -> None:
    @app.get(f"/-/<any({','.join(_TYPES)}):name>")
    def file(name: str) -> Response:
        response = Response((_STATIC / name).read_bytes(), mimetype=_TYPES[name])
        response.headers["Cache-Control"] = "public, max-age=86400"  # the address changes with the content
        return response


def _register_answers(app: Flask) -> None:
    @app.errorhandler(HTTPException)
    def http_error(error: HTTPException) -> Response:
        said = error.description if isinstance(error, NotFound) and error.description else ""
        depth = max(0, request.path.count("/") - 1)
        page = _render("error.html", root="../" * depth, code=error.code, title=error.name, said=said)
        response = Response(page, error.code)
        if allow := dict(error.get_headers()).get("Allow"):
            response.headers["Allow"] = allow
        return response

    @app.after_request
    def guard(response: Response) -> Response:
        for name, value in _HEADERS.items():
            response.headers[name] = value
        response.headers.setdefault("Cache-Control", "no-store")
        return response


def _standby(view: View, root: str = "") -> Response | None:
    """Another syncer is at work and knows; this one would tell what was true once, or nothing."""
    if not (problems := view.duty.not_ready()):
        return None
    return Response(_render("standby.html", root=root, problems=problems), 503, {"Retry-After": _RETRY_SECONDS})


def _list(sites: Sequence[Seen], *, root: str, namespace: str) -> str:
    query = Query.read(request.args)
    found = find(sites, query)
    return _render(
        "list.html", root=root, namespace=namespace, query=query, found=found, states=STATES, total=len(sites)
    )


def _render(template: str, **values: Any) -> str:  # noqa: ANN401 - whatever the template shows
    return render_template(template, now=datetime.now(UTC), **values)


def _version() -> str:
    """Of the style and the script, for their addresses."""
    content = b"".join((_STATIC / name).read_bytes() for name in sorted(_TYPES))
    return hashlib.sha256(content).hexdigest()[:12]
