"""People with accounts on a running server, and the server's own database.

They are written beside its door, where nobody counts how many registered from one address; their tokens are real.
"""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from uuid import UUID

import asyncpg

from core import tokens
from core.ids import uuid7
from core.keys import Keyring
from core.settings import read_secrets
from demo.home import Home
from models import Role
from services.outbox import VIEWERS
from tests.fakes.servers import Server
from tests.fakes.waiting import eventually

ACCOUNT = """
    INSERT INTO users (id, email, name, password_hash, role, created_at) VALUES ($1, $2, 'Ada', '', $3, now())
"""
SIGN_IN = """
    INSERT INTO user_sessions (id, user_id, created_at, expires_at) VALUES ($1, $2, now(), now() + interval '1 day')
"""


UNTOLD = """
    SELECT EXISTS (SELECT FROM facts LEFT JOIN relay_cursors ON sink = $1
                   WHERE facts.position IS NULL OR facts.position > coalesce(relay_cursors.position, 0))
"""


@dataclass(frozen=True)
class Person:
    """Somebody who has signed in."""

    user_id: UUID
    token: str


@asynccontextmanager
async def database_of(server: Server) -> AsyncIterator[asyncpg.Connection]:
    """A connection to the server's database."""
    connection = await asyncpg.connect(user="jetway", database="jetway", host=str(server.home / "postgres"))
    try:
        yield connection
    finally:
        await connection.close()


async def somebody(server: Server, role: Role = Role.CUSTOMER) -> Person:
    """Somebody new, with that role, signed in."""
    user_id, session_id = uuid7(), uuid7()
    async with database_of(server) as connection:
        await connection.execute(ACCOUNT, user_id, f"{user_id.hex}@example.org", role)
        await connection.execute(SIGN_IN, session_id, user_id)
    keyring = Keyring(read_secrets(Home(server.home).secrets()["JETWAY_SECRETS"]))
    return Person(user_id, tokens.issue(keyring, user_id=user_id, session_id=session_id, role=role)[0])


async def all_told(server: Server) -> None:
    """Return once viewers have been told all that has happened: who subscribes now hears of what comes after."""

    async def nothing_left() -> bool:
        async with database_of(server) as connection:
            return not await connection.fetchval(UNTOLD, VIEWERS)

    await eventually(nothing_left)
