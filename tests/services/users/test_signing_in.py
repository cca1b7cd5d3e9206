"""Signing in: one refusal for everything that is wrong."""

from __future__ import annotations

import pytest
from sqlalchemy import func, select, update

from core import tokens
from core.db import Database
from core.errors import Unauthenticated
from core.keys import Keyring
from core.passwords import NOBODYS, Passwords
from models import User, UserSession
from services import users
from services.users import SignedIn


async def sign_in(database: Database, keyring: Keyring, passwords: Passwords, email: str, password: str) -> SignedIn:
    """The three steps of the resolver."""
    async with database.transaction() as session:
        found = await users.find_credentials(session, email)
    await users.verify(passwords, found, password)
    async with database.transaction() as session:
        return await users.sign_in(session, keyring, found)


async def test_the_right_password_starts_a_session_of_its_own(
    database: Database, keyring: Keyring, passwords: Passwords, ada: SignedIn
) -> None:
    signed_in = await sign_in(database, keyring, passwords, " ADA@example.org", "difference engine")
    first, second = (tokens.read(keyring, each.access_token) for each in (ada, signed_in))
    assert second.user_id == first.user_id == ada.user.id
    assert second.session_id != first.session_id


@pytest.mark.parametrize(
    ("email", "password"),
    [
        ("ada@example.org", "analytical engine"),
        ("ada@example.org", ""),
        ("ada@example.org", "difference engine" * 20),
        ("nobody@example.org", "difference engine"),
        ("nobody@example.org", "a password that nobody has"),
        ("not an address", "difference engine"),
    ],
)
async def test_an_unknown_email_and_a_wrong_password_are_refused_in_the_same_words(
    database: Database, keyring: Keyring, passwords: Passwords, ada: SignedIn, email: str, password: str
) -> None:
    with pytest.raises(Unauthenticated) as refusal:
        await sign_in(database, keyring, passwords, email, password)
    async with database.reading() as session:
        sessions = await session.scalar(select(func.count()).select_from(UserSession))
    assert (refusal.value.code, refusal.value.message) == ("UNAUTHENTICATED", "The e-mail or the password is wrong.")
    assert sessions == 1


async def test_an_unknown_email_costs_the_same_work(
    database: Database, passwords: Passwords, monkeypatch: pytest.MonkeyPatch
) -> None:
    compared: list[str] = []

    def matches(kept: str, _: str) -> bool:
        compared.append(kept)
        return True

    monkeypatch.setattr("core.passwords.matches", matches)
    async with database.reading() as session:
        found = await users.find_credentials(session, "nobody@example.org")
    with pytest.raises(Unauthenticated):
        await users.verify(passwords, found, "a password that nobody has")
    assert compared == [NOBODYS]


async def test_a_password_changed_between_check_and_session_signs_nobody_in(
    database: Database, keyring: Keyring, passwords: Passwords, ada: SignedIn
) -> None:
    async with database.transaction() as session:
        found = await users.find_credentials(session, "ada@example.org")
    await users.verify(passwords, found, "difference engine")
    async with database.transaction() as session:
        await session.execute(update(User).values(password_hash="another"))
    with pytest.raises(Unauthenticated):
        async with database.transaction() as session:
            await users.sign_in(session, keyring, found)
