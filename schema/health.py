"""Whether this process lives, whether it can work, and what it has counted.

/healthz asks nothing: a process that answers is alive, and killing it would not mend a database. /readyz asks
everything that a booking needs, each with its own time-out, so that one slow answer hides no other.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Mapping

from prometheus_client import CONTENT_TYPE_LATEST, generate_latest
from redis.asyncio import Redis
from redis.exceptions import RedisError
from sqlalchemy import text
from sqlalchemy.exc import SQLAlchemyError
from starlette.requests import Request
from starlette.responses import Response

from core import log
from core.db import Database
from core.errors import Unavailable
from engine.responses import JSON
from resolvers.context import Application
from schema.http import application

TIMEOUT = 2.0
"""Seconds that each thing asked may take."""

HEARTBEAT_SECONDS = 5
OK = "ok"

BEATING = text(
    "SELECT beat_at > clock_timestamp() - make_interval(secs => :seconds) FROM heartbeats WHERE name = 'worker'"
)

Check = Callable[[], Awaitable[str]]
"""Answers `ok`, or why not, in words that may be read by anybody."""

logger = log.logger("health")


async def healthz(_: Request) -> Response:
    """Alive."""
    return JSON({"status": "alive"})


async def readyz(request: Request) -> Response:
    """200 where all is well, 503 otherwise; the body has a line for each thing that was asked."""
    return await answer(checks(application(request), request.app.state.migration_head))


async def metrics(_: Request) -> Response:
    """All that was counted, in Prometheus' text format."""
    return Response(generate_latest(), headers={"Content-Type": CONTENT_TYPE_LATEST})


def checks(app: Application, migration_head: str) -> dict[str, Check]:
    """What a booking needs."""
    return {
        "database": lambda: ask_database(app.database),
        "valkey": lambda: ask_valkey(app.redis),
        "worker": lambda: ask_worker(app.database),
        "migrations": lambda: ask_migrations(app.database, migration_head),
    }


async def answer(questions: Mapping[str, Check]) -> Response:
    """Ask everything at once, and say what came."""
    said = await asyncio.gather(*(asked(name, check) for name, check in questions.items()))
    ready = all(line == OK for line in said)
    lines = dict(zip(questions, said, strict=True))
    return JSON({"status": "ready" if ready else "not ready", "checks": lines}, status_code=200 if ready else 503)


async def asked(name: str, check: Check) -> str:
    """What `check` says, or that it does not answer."""
    try:
        async with asyncio.timeout(TIMEOUT):
            return await check()
    except (Unavailable, SQLAlchemyError, RedisError, OSError) as error:  # TimeoutError is an OSError
        logger.warning("not_ready", check=name, reason=repr(error))
        return "does not answer"


async def ask_database(database: Database) -> str:
    """Whether the primary takes a transaction."""
    async with database.transaction() as session:
        await session.execute(text("SELECT 1"))
    return OK


async def ask_valkey(redis: Redis) -> str:
    """Whether Valkey takes a command."""
    await redis.ping()
    return OK


async def ask_worker(database: Database) -> str:
    """Whether a worker said in the last seconds that it lives."""
    async with database.transaction() as session:
        beating = await session.scalar(BEATING, {"seconds": HEARTBEAT_SECONDS})
    return OK if beating else f"no heartbeat in the last {HEARTBEAT_SECONDS} s"


async def ask_migrations(database: Database, head: str) -> str:
    """Whether the database is at this code's newest migration."""
    async with database.transaction() as session:
        current = await session.scalar(text("SELECT version_num FROM alembic_version"))
    return OK if current == head else f"at {current or 'none'}, this server needs {head}"
