"""The health of the syncer over HTTP, for the cluster alone: on a port of its own (W8)."""

from typing import Protocol

from flask import Flask, Response, jsonify


class Health(Protocol):
    """What is wrong, a sentence each; both are empty if all is well."""

    def sick(self) -> list[str]:
        """What only a new process can fix."""

    def not_ready(self) -> list[str]:
        """Why it should get no requests."""


def create_app(health: Health) -> Flask:
    """The WSGI application."""
    app = Flask(__name__)

    @app.get("/healthz")
    def healthz() -> tuple[Response, int]:
        return _answer(health.sick())

    @app.get("/readyz")
    def readyz() -> tuple[Response, int]:
        return _answer(health.sick() + health.not_ready())

    return app


def _answer(problems: list[str]) -> tuple[Response, int]:
    return jsonify(ok=not problems, problems=problems), 503 if problems else 200
