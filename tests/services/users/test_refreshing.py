"""Staying signed in, and signing out: every refresh token is good once."""

from __future__ import annotations

from datetime import timedelta

import pytest
from sqlalchemy import select, update

from core import tokens
from core.db import Database
from core.errors import Unauthenticated
from core.keys import Keyring
from models import Fact, RefreshToken, UserSession
from services import users
from services.users import RefreshSession, SignedIn, SignOut


async def refresh(database: Database, keyring: Keyring, token: str) -> SignedIn:
    """As the resolver does: the transaction ends before a returned refusal is raised."""
    async with database.transaction() as session:
        outcome = await users.refresh(session, keyring, RefreshSession(refresh_token=token))
    if isinstance(outcome, Unauthenticated):
        raise outcome
    return outcome


async def sign_out(database: Database, token: str, *, everywhere: bool = False) -> None:
    async with database.transaction() as session:
        outcome = await users.sign_out(session, SignOut(refresh_token=token, everywhere=everywhere))
    if outcome is not None:
        raise outcome


async def sign_in_again(database: Database, keyring: Keyring) -> SignedIn:
    async with database.transaction() as session:
        return await users.sign_in(session, keyring, await users.find_credentials(session, "ada@example.org"))


async def reasons(database: Database) -> list[str]:
    """Why sessions ended, in order."""
    async with database.reading() as session:
        ended = select(Fact.payload["reason"].as_string()).where(Fact.kind == "session.ended").order_by(Fact.id)
        return list(await session.scalars(ended))


async def test_a_refresh_gives_new_tokens_for_the_same_session(
    database: Database, keyring: Keyring, ada: SignedIn
) -> None:
    second = await refresh(database, keyring, ada.refresh_token)
    third = await refresh(database, keyring, second.refresh_token)
    sessions = {tokens.read(keyring, each.access_token).session_id for each in (ada, second, third)}
    assert len(sessions) == 1
    assert len({ada.refresh_token, second.refresh_token, third.refresh_token}) == 3
    assert third.user.id == ada.user.id


async def test_a_token_used_twice_ends_its_session_although_the_call_is_refused(
    database: Database, keyring: Keyring, ada: SignedIn
) -> None:
    second = await refresh(database, keyring, ada.refresh_token)
    with pytest.raises(Unauthenticated):
        await refresh(database, keyring, ada.refresh_token)
    with pytest.raises(Unauthenticated):
        await refresh(database, keyring, second.refresh_token)
    async with database.reading() as session:
        ended = (await session.scalars(select(UserSession))).one()
    assert ended.revoked_at is not None
    assert await reasons(database) == [users.REUSED]


async def test_a_stolen_session_leaves_the_others_alone(database: Database, keyring: Keyring, ada: SignedIn) -> None:
    elsewhere = await sign_in_again(database, keyring)
    await refresh(database, keyring, ada.refresh_token)
    with pytest.raises(Unauthenticated):
        await refresh(database, keyring, ada.refresh_token)
    assert (await refresh(database, keyring, elsewhere.refresh_token)).user.id == ada.user.id


@pytest.mark.parametrize("token", ["", "x" * 43, "not base64 \ud83d", "é" * 100_000])
async def test_an_unknown_token_is_refused(database: Database, keyring: Keyring, ada: SignedIn, token: str) -> None:
    with pytest.raises(Unauthenticated):
        await refresh(database, keyring, token)
    with pytest.raises(Unauthenticated):
        await sign_out(database, token)
    assert await reasons(database) == []


async def test_after_thirty_days_a_token_is_refused_and_stays_unused(
    database: Database, keyring: Keyring, ada: SignedIn
) -> None:
    async with database.transaction() as session:
        await session.execute(update(UserSession).values(expires_at=UserSession.expires_at - timedelta(days=30)))
    with pytest.raises(Unauthenticated):
        await refresh(database, keyring, ada.refresh_token)
    async with database.reading() as session:
        kept = (await session.scalars(select(RefreshToken))).one()
    assert kept.used_at is None


async def test_every_refresh_gives_thirty_days_more(database: Database, keyring: Keyring, ada: SignedIn) -> None:
    async with database.transaction() as session:
        await session.execute(update(UserSession).values(expires_at=UserSession.expires_at - timedelta(days=29)))
    await refresh(database, keyring, ada.refresh_token)
    async with database.reading() as session:
        row = (await session.scalars(select(UserSession))).one()
        token = (await session.scalars(select(RefreshToken).where(RefreshToken.used_at.is_(None)))).one()
    assert timedelta(days=29, hours=23) < row.expires_at - token.issued_at <= users.REFRESH_LIFETIME


async def test_signing_out_ends_this_session_alone_and_may_be_repeated(
    database: Database, keyring: Keyring, ada: SignedIn
) -> None:
    elsewhere = await sign_in_again(database, keyring)
    await sign_out(database, ada.refresh_token)
    await sign_out(database, ada.refresh_token)
    with pytest.raises(Unauthenticated):
        await refresh(database, keyring, ada.refresh_token)
    assert (await refresh(database, keyring, elsewhere.refresh_token)).user.id == ada.user.id
    assert await reasons(database) == ["signed out"]


async def test_signing_out_everywhere_ends_every_session(database: Database, keyring: Keyring, ada: SignedIn) -> None:
    elsewhere = await sign_in_again(database, keyring)
    await sign_out(database, ada.refresh_token, everywhere=True)
    for token in (ada.refresh_token, elsewhere.refresh_token):
        with pytest.raises(Unauthenticated):
            await refresh(database, keyring, token)
    assert await reasons(database) == ["signed out everywhere"] * 2


async def test_a_used_token_cannot_end_other_sessions(database: Database, keyring: Keyring, ada: SignedIn) -> None:
    elsewhere = await sign_in_again(database, keyring)
    await refresh(database, keyring, ada.refresh_token)
    with pytest.raises(Unauthenticated):
        await sign_out(database, ada.refresh_token, everywhere=True)
    assert (await refresh(database, keyring, elsewhere.refresh_token)).user.id == ada.user.id
    assert await reasons(database) == [users.REUSED]
