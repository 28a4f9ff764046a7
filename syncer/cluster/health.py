"""How the syncer is, over HTTP, for those who run it: on a port of its own (W8)."""

from collections.abc import Callable

from flask import Flask, Response, jsonify

# What is wrong, a sentence each; nothing where all is well.
Problems = Callable[[], list[str]]


def create_app(sick: Problems, not_ready: Problems) -> Flask:
    """The WSGI application. ``sick``: a new process would help. ``not_ready``: nobody should send us anything."""
    app = Flask(__name__)

    @app.get("/healthz")
    def healthz() -> tuple[Response, int]:
        return _answer(sick())

    @app.get("/readyz")
    def readyz() -> tuple[Response, int]:
        return _answer(sick() + not_ready())

    return app


def _answer(problems: list[str]) -> tuple[Response, int]:
    return jsonify(ok=not problems, problems=problems), 503 if problems else 200
