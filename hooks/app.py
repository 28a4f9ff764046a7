"""The hooks over HTTP: Metacontroller posts a request, we answer with what there should be.

A request that is not Metacontroller's gets 400 and a sentence. A failure of ours gets 500 and nothing internal, because
whatever is missing from a 200 answer is deleted.
"""

from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from typing import Any

import structlog
from flask import Flask, Response, request
from pydantic_core import from_json, to_json
from werkzeug.exceptions import HTTPException

from hooks import platform, virtualhost
from hooks.requests import NotAHookRequest, Object

log = structlog.get_logger(__name__)

MAX_REQUEST_BYTES = 64 << 20
Clock = Callable[[], datetime]


def create_app(clock: Clock = lambda: datetime.now(UTC)) -> Flask:
    """The WSGI application."""
    app = Flask(__name__)
    app.config["MAX_CONTENT_LENGTH"] = MAX_REQUEST_BYTES

    @app.post("/platform/customize")
    def platform_customize() -> Response:
        return _answer(platform.customize(_hook_request()))

    @app.post("/platform/sync")
    def platform_sync() -> Response:
        return _answer(platform.sync(_hook_request(), now=clock()))

    @app.post("/virtualhost/sync")
    def virtualhost_sync() -> Response:
        return _answer(virtualhost.sync(_hook_request(), now=clock()))

    @app.get("/healthz")
    def healthz() -> Response:
        return _text("ok\n", 200)

    app.register_error_handler(NotAHookRequest, lambda error: _text(f"not a hook request: {error}\n", 400))
    app.register_error_handler(HTTPException, _http_error)
    app.register_error_handler(Exception, _internal_error)
    return app


def _hook_request() -> Mapping[str, Any]:
    try:
        found = from_json(request.get_data(cache=False))
    except ValueError as error:
        raise NotAHookRequest(f"the body is not JSON ({error})") from error
    if not isinstance(found, dict):
        raise NotAHookRequest("the body is not a JSON object")
    return found


def _answer(answer: Object) -> Response:
    return Response(to_json(answer), 200, mimetype="application/json")


def _http_error(error: HTTPException) -> Response:
    return _text(f"{error.name}: {error.description}\n", error.code or 500)


def _internal_error(error: Exception) -> Response:
    log.error("hook_failed", path=request.path, exc_info=error)
    return _text("the hook failed; its log says why\n", 500)


def _text(text: str, status: int) -> Response:
    return Response(text, status, mimetype="text/plain")
