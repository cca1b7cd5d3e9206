"""Making an account: what is accepted, how it is kept, what is refused."""

from __future__ import annotations

import pytest
from sqlalchemy import func, select

from core import tokens
from core.db import Database
from core.errors import Conflict, Invalid
from core.keys import Keyring
from core.passwords import Passwords
from models import RefreshToken, Role, User, UserSession
from services import users
from services.users import Register


def command(**changes: str) -> Register:
    return Register(
        **{"email": "Ada@Example.org ", "password": "difference engine", "name": "Ada  Lovelace", **changes}
    )


async def count(database: Database, table: type) -> int:
    async with database.reading() as session:
        return await session.scalar(select(func.count()).select_from(table)) or 0


async def test_an_account_is_kept_in_normal_form_and_signed_in(
    database: Database, keyring: Keyring, passwords: Passwords
) -> None:
    entry = await users.prepare(passwords, command())
    async with database.transaction() as session:
        signed_in = await users.register(session, keyring, entry)
    async with database.reading() as session:
        user = (await session.scalars(select(User))).one()
        sign_in = (await session.scalars(select(UserSession))).one()
        kept = (await session.scalars(select(RefreshToken))).one()
    said = tokens.read(keyring, signed_in.access_token)
    assert (user.email, user.name, user.role) == ("ada@example.org", "Ada Lovelace", Role.CUSTOMER)
    assert user.password_hash.startswith("$argon2id$v=19$m=19456,t=2,p=1$")
    assert (said.user_id, said.session_id, said.role) == (user.id, sign_in.id, "CUSTOMER")
    assert signed_in.user.id == user.id
    assert kept.digest == users.digest_of(signed_in.refresh_token)
    assert len(signed_in.refresh_token) == 43


async def test_an_email_has_one_account_however_it_is_spelt(
    database: Database, keyring: Keyring, passwords: Passwords
) -> None:
    entry = await users.prepare(passwords, command())
    async with database.transaction() as session:
        await users.register(session, keyring, entry)
    again = await users.prepare(passwords, command(email="ADA@EXAMPLE.ORG", name="Somebody else"))
    with pytest.raises(Conflict) as refusal:
        async with database.transaction() as session:
            await users.register(session, keyring, again)
    assert refusal.value.code == "EMAIL_TAKEN"
    assert (await count(database, User), await count(database, UserSession)) == (1, 1)


@pytest.mark.parametrize(
    "email",
    ["", "ada", "@example.org", "ada@", "ada@localhost", "a da@example.org", "ada@exa mple.org", "ada@@example.org",
     "ada@example..org", ".ada@example.org", "ada.@example.org", "ada\x00@example.org", "ada@-example.org",
     "ada@example.org\nBcc: x@example.org", "x" * 65 + "@example.org", "a@" + "b." * 130 + "org", "ada@127.0.0.1"],
)  # fmt: skip
async def test_what_cannot_be_an_email_is_refused(passwords: Passwords, email: str) -> None:
    with pytest.raises(Invalid) as refusal:
        await users.prepare(passwords, command(email=email))
    assert refusal.value.field == "email"


@pytest.mark.parametrize(
    ("email", "kept"),
    [
        ("O'Neil+news@Mail.Example.CO.uk", "o'neil+news@mail.example.co.uk"),
        ("ada@BÜCHER.example", "ada@xn--bcher-kva.example"),
    ],
)
def test_what_can_be_an_email_is_kept_in_ascii_and_lower_case(email: str, kept: str) -> None:
    assert users.normal_email(email) == kept


@pytest.mark.parametrize("password", ["", "seven77", "x" * 201, "Password1", "qwertyuiop", "aaaaaaaaaaaa"])
async def test_a_password_that_anybody_would_try_is_refused(passwords: Passwords, password: str) -> None:
    with pytest.raises(Invalid) as refusal:
        await users.prepare(passwords, command(password=password))
    assert refusal.value.field == "password"


@pytest.mark.parametrize("password", ["eight888", "pässwörter", "四字熟語四字熟語", "x y" * 66])
async def test_length_alone_makes_a_password(passwords: Passwords, password: str) -> None:
    entry = await users.prepare(passwords, command(password=password))
    assert await passwords.verify(entry.password_hash, password)


@pytest.mark.parametrize("name", ["", "   ", "x" * 201, "Ada\x00", "Ada\u202eecalevoL"])
async def test_a_name_that_cannot_be_printed_is_refused(passwords: Passwords, name: str) -> None:
    with pytest.raises(Invalid) as refusal:
        await users.prepare(passwords, command(name=name))
    assert refusal.value.field == "name"
