"""Connections that go straight to the primary, round any pooler: for advisory locks of a session, and for LISTEN.

Each belongs to one part of Jetway for as long as it lives; what a session holds ends with it. Everything else takes a
session from `core/db.py`.
"""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType

import asyncpg

from core.db import is_away
from core.errors import Unavailable
from core.settings import libpq_url

NOTICES_A_DEAD_HOST = MappingProxyType(
    {"tcp_keepalives_idle": "5", "tcp_keepalives_interval": "1", "tcp_keepalives_count": "3"}
)
"""Without these the locks of a host that lost its power would stay for hours."""


async def connect(url: str, name: str, settings: Mapping[str, str] | None = None) -> asyncpg.Connection:
    """A connection of its own to the database at `url`, seen there as `name`, with these settings of PostgreSQL.

    Raises Unavailable where the database does not answer.
    """
    try:
        return await asyncpg.connect(
            libpq_url(url),
            timeout=5,
            command_timeout=30,
            server_settings={"application_name": name, **NOTICES_A_DEAD_HOST, **(settings or {})},
        )
    except Exception as error:
        if is_away(error):
            raise Unavailable("The database does not answer.") from error
        raise
