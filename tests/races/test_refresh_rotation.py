"""Two hands on one refresh token at once: exactly one of them gets the next."""

from __future__ import annotations

import asyncio

import pytest
from sqlalchemy import select, update

from core.db import Database
from core.errors import Unauthenticated
from core.keys import Keyring
from core.passwords import Passwords
from models import RefreshToken, UserSession
from services import users
from services.users import RefreshSession, Register, SignedIn

RIVALS = 8


@pytest.fixture
async def token(database: Database, keyring: Keyring, passwords: Passwords) -> str:
    """A refresh token that was never used."""
    command = Register(email="ada@example.org", password="difference engine", name="Ada")
    entry = await users.prepare(passwords, command)
    async with database.transaction() as session:
        return (await users.register(session, keyring, entry)).refresh_token


async def test_of_rivals_with_one_token_exactly_one_wins(database: Database, keyring: Keyring, token: str) -> None:
    together = asyncio.Barrier(RIVALS)

    async def rival() -> SignedIn | Unauthenticated:
        async with database.transaction() as session:
            await session.execute(select(1))
            await together.wait()
            return await users.refresh(session, keyring, RefreshSession(refresh_token=token))

    outcomes = await asyncio.gather(*(rival() for _ in range(RIVALS)))
    async with database.reading() as session:
        tokens = (await session.scalars(select(RefreshToken))).all()
        ended = (await session.scalars(select(UserSession))).one()
    assert sum(isinstance(outcome, SignedIn) for outcome in outcomes) == 1
    assert len(tokens) == 2
    assert ended.revoked_at is not None


async def test_control_looking_before_using_lets_all_of_them_win(
    database: Database, keyring: Keyring, token: str
) -> None:
    together = asyncio.Barrier(RIVALS)
    digest = users.digest_of(token)

    async def rival() -> bool:
        async with database.transaction() as session:
            unused = await session.scalar(select(RefreshToken.used_at).where(RefreshToken.digest == digest)) is None
            await together.wait()
            if unused:
                await session.execute(
                    update(RefreshToken).where(RefreshToken.digest == digest).values(used_at=users.jetway_now())
                )
            return unused

    assert sum(await asyncio.gather(*(rival() for _ in range(RIVALS)))) == RIVALS
