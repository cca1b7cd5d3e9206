"""Roles are given by a command, to people who have an account, and told as a fact."""

from __future__ import annotations

import pytest
from sqlalchemy import text

from core import tokens
from core.db import Database
from core.errors import Invalid, NotFound
from core.keys import Keyring
from models import Role
from services import users
from services.transitions import Cause
from services.users import RefreshSession, SignedIn
from tests.fakes.commands import run

CAUSE = Cause(actor="operator:grace", reason="looks after flights")


async def give(database: Database, email: str, role: Role) -> bool:
    async with database.transaction() as session:
        return await users.give_role(session, email, role, CAUSE)


async def told(database: Database) -> list[dict[str, str]]:
    """What the facts about roles say, in order."""
    async with database.reading() as session:
        found = text("SELECT payload FROM facts WHERE kind = 'user.role_changed' ORDER BY id")
        return list(await session.scalars(found))


async def test_the_next_access_token_has_the_new_role(database: Database, keyring: Keyring, ada: SignedIn) -> None:
    assert await give(database, " Ada@Example.org", Role.STAFF)
    async with database.transaction() as session:
        again = await users.refresh(session, keyring, RefreshSession(refresh_token=ada.refresh_token))
    assert isinstance(again, SignedIn)
    roles = [tokens.read(keyring, one.access_token).role for one in (ada, again)]
    assert roles == [Role.CUSTOMER, Role.STAFF]


async def test_each_change_is_told_once(database: Database, ada: SignedIn) -> None:
    assert [await give(database, "ada@example.org", role) for role in (Role.ADMIN, Role.ADMIN, Role.CUSTOMER)] == [
        True,
        False,
        True,
    ]
    why = {"user_id": str(ada.user.id), "actor": "operator:grace", "reason": "looks after flights"}
    assert await told(database) == [
        {**why, "role": "ADMIN", "from": "CUSTOMER"},
        {**why, "role": "CUSTOMER", "from": "ADMIN"},
    ]


@pytest.mark.parametrize(("email", "refusal"), [("grace@example.org", NotFound), ("ada", Invalid)])
async def test_who_has_no_account_gets_no_role(
    database: Database, ada: SignedIn, email: str, refusal: type[Exception]
) -> None:
    with pytest.raises(refusal):
        await give(database, email, Role.ADMIN)
    assert await told(database) == []


async def test_the_command(database_url: str, database: Database, ada: SignedIn) -> None:
    ran = await run(
        "scripts.roles", "give", "ada@example.org", "STAFF", "--reason", "new here", database_url=database_url
    )
    assert (ran.code, ran.out) == (0, "ada@example.org is STAFF.\n")
    (fact,) = await told(database)
    assert (fact["role"], fact["reason"]) == ("STAFF", "new here")
    assert fact["actor"].startswith("operator:")
    ran = await run("scripts.roles", "list", database_url=database_url)
    assert (ran.code, ran.out) == (0, "STAFF    ada@example.org  Ada Lovelace\n")


async def test_the_command_refuses_and_says_why(database_url: str, database: Database, ada: SignedIn) -> None:
    ran = await run("scripts.roles", "give", "a@b.org", "STAFF", "--reason", "new here", database_url=database_url)
    assert (ran.code, ran.err) == (1, "There is no account with this e-mail.\n")
    ran = await run(
        "scripts.roles", "give", "ada@example.org", "KING", "--reason", "new here", database_url=database_url
    )
    assert ran.code == 2
    assert await told(database) == []
