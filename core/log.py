"""Logs: one JSON object a line, each with the request it belongs to.

`bind(request_id=…)` puts a fact on every line that the present task writes. Secrets and personal data are never
passed to a logger; `MASKED` is the net below that rule.
"""

from __future__ import annotations

import logging
import sys
from collections.abc import MutableMapping
from typing import Any

import orjson
import structlog

MASKED = frozenset(
    {
        "password",
        "token",
        "authorization",
        "client_secret",
        "email",
        "phone",
        "date_of_birth",
        "secret",
    }
)


def configure(level: str = "INFO") -> None:
    """Send structlog's and the standard library's records to standard output as JSON, from `level` up."""
    shared: list[structlog.typing.Processor] = [
        structlog.contextvars.merge_contextvars,
        structlog.stdlib.add_log_level,
        structlog.stdlib.add_logger_name,
        structlog.processors.TimeStamper(fmt="iso", utc=True),
        structlog.stdlib.ExtraAdder(),
        mask,
        drop_color,
    ]
    structlog.configure(
        processors=[*shared, structlog.stdlib.ProcessorFormatter.wrap_for_formatter],
        wrapper_class=structlog.stdlib.BoundLogger,
        logger_factory=structlog.stdlib.LoggerFactory(),
        cache_logger_on_first_use=True,
    )
    handler = logging.StreamHandler(sys.stdout)
    handler.setFormatter(
        structlog.stdlib.ProcessorFormatter(
            foreign_pre_chain=shared,
            processors=[
                structlog.stdlib.ProcessorFormatter.remove_processors_meta,
                structlog.processors.format_exc_info,
                structlog.processors.JSONRenderer(serializer=render),
            ],
        )
    )
    root = logging.getLogger()
    root.handlers = [handler]
    root.setLevel(level)
    for noisy in (
        "httpx",
        "httpcore",
        "stripe",
        "asyncio",
        "uvicorn.access",
        "alembic",
    ):
        logging.getLogger(noisy).setLevel(logging.WARNING)


def logger(name: str) -> structlog.stdlib.BoundLogger:
    """A logger of that name."""
    log: structlog.stdlib.BoundLogger = structlog.stdlib.get_logger(name)
    return log


def bind(**facts: Any) -> None:
    """Put facts on every line that this task, and the tasks it starts, write from now on."""
    structlog.contextvars.bind_contextvars(**facts)


def mask(_: Any, __: str, line: MutableMapping[str, Any]) -> MutableMapping[str, Any]:
    """Replace the values of keys that must never be read in a log."""
    for key in MASKED & line.keys():
        line[key] = "***"
    return line


def drop_color(_: Any, __: str, line: MutableMapping[str, Any]) -> MutableMapping[str, Any]:
    """Leave out uvicorn's copy of its message with terminal colours in it."""
    line.pop("color_message", None)
    return line


def render(line: Any, **_: Any) -> str:
    """One line of JSON; what JSON cannot say is written as its `repr`."""
    return orjson.dumps(line, default=repr).decode()
