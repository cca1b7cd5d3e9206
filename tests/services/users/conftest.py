"""Somebody with an account."""

from __future__ import annotations

import pytest

from core.db import Database
from core.keys import Keyring
from core.passwords import Passwords
from services import users
from services.users import Register, SignedIn


@pytest.fixture
async def ada(database: Database, keyring: Keyring, passwords: Passwords) -> SignedIn:
    """Ada, who has just registered."""
    command = Register(email="ada@example.org", password="difference engine", name="Ada Lovelace")
    entry = await users.prepare(passwords, command)
    async with database.transaction() as session:
        return await users.register(session, keyring, entry)
