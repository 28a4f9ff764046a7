"""Metacontroller asks, we answer: pure functions from a hook request to an answer, behind a thin Flask application."""
