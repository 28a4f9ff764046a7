"""Configures logs: events with fields, as text on a terminal, else as JSON lines; ours and those of libraries."""

import logging
import sys

import structlog

_SHARED: list[structlog.typing.Processor] = [
    structlog.contextvars.merge_contextvars,
    structlog.stdlib.add_log_level,
    structlog.processors.TimeStamper(fmt="iso", utc=True),
]
# They repeat that nothing has changed.
_CHATTY = ("leaderelection", "httpx", "httpx2", "httpcore", "httpcore2", "sh")


def configure(verbosity: int) -> None:
    """Log errors to stderr; ``verbosity`` 1 adds events, 2 also decisions."""
    set_level({0: logging.ERROR, 1: logging.INFO}.get(verbosity, logging.DEBUG))


def set_level(level: int) -> None:
    """Log to stderr, at this level and above."""
    renderer: structlog.typing.Processor = structlog.processors.JSONRenderer()
    exceptions = [structlog.processors.format_exc_info]
    if sys.stderr.isatty():
        renderer, exceptions = structlog.dev.ConsoleRenderer(), []
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(
        structlog.stdlib.ProcessorFormatter(
            foreign_pre_chain=_SHARED,
            processors=[structlog.stdlib.ProcessorFormatter.remove_processors_meta, *exceptions, renderer],
        )
    )
    root = logging.getLogger()
    root.handlers = [handler]
    root.setLevel(level)
    for name in _CHATTY:
        logging.getLogger(name).setLevel(max(level, logging.WARNING))
    structlog.configure(
        processors=[
            structlog.stdlib.filter_by_level,
            *_SHARED,
            structlog.stdlib.ProcessorFormatter.wrap_for_formatter,
        ],
        wrapper_class=structlog.stdlib.BoundLogger,
        logger_factory=structlog.stdlib.LoggerFactory(),
        cache_logger_on_first_use=True,
    )
