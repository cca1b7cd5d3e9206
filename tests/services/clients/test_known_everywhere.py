"""What each process knows of API clients: by asking PostgreSQL, whatever else is away."""

from __future__ import annotations

import pytest

from core.db import Database
from core.errors import Unavailable
from models import DocumentPolicy
from services import clients
from services.clients import KnownClient, RegisterClient, RetireClient
from subscriptions.clients import SECONDS, Clients

BY = "operator:grace"
NOWHERE = "postgresql+asyncpg://jetway@127.0.0.1:9/jetway"


class Process:
    """One that serves: the clients that it knows, and what it was told."""

    def __init__(self, database: Database) -> None:
        self.told: list[frozenset[str]] = []
        self.clients = Clients(database, self.told.append)


async def register(database: Database, name: str) -> str:
    """The key of a new client."""
    async with database.transaction() as session:
        command = RegisterClient(name=name, documents=DocumentPolicy.TRUSTED, manifest=name)
        return (await clients.register(session, command, BY)).key


async def retire(database: Database, name: str) -> None:
    async with database.transaction() as session:
        await clients.retire(session, RetireClient(name=name), BY)


async def test_every_process_learns_of_every_change_once(database: Database) -> None:
    processes = [Process(database), Process(database)]
    for one in processes:
        await one.clients.follow()
    key = await register(database, "acme")
    for one in processes:
        assert one.clients.find(key) is None
        for _ in range(3):
            assert await one.clients.follow() == SECONDS
        assert one.clients.find(key) == KnownClient("acme", DocumentPolicy.TRUSTED, "acme", False)
    await retire(database, "acme")
    for one in processes:
        await one.clients.follow()
        assert one.clients.find(key) == KnownClient("acme", DocumentPolicy.TRUSTED, "acme", True)
        assert one.clients.has_retired("acme")
        assert one.told == [frozenset(), frozenset(), {"acme"}]


@pytest.mark.parametrize("key", ["", "jetway_", "é", "x" * (clients.LONGEST_KEY + 1)])
async def test_what_is_no_key_finds_nobody(database: Database, key: str) -> None:
    process = Process(database)
    await register(database, "acme")
    await process.clients.follow()
    assert process.clients.find(key) is None


async def test_before_postgresql_has_answered_no_key_is_looked_up() -> None:
    nowhere = Database(NOWHERE)
    process = Process(nowhere)
    assert await process.clients.follow() == SECONDS
    with pytest.raises(Unavailable):
        process.clients.find("jetway_any")
    assert process.told == []
    await nowhere.close()


async def test_while_postgresql_is_away_what_is_known_goes_on(
    database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    process = Process(database)
    key = await register(database, "acme")
    await process.clients.follow()

    async def away() -> int:
        raise Unavailable("The database does not answer.")

    with monkeypatch.context() as patched:
        patched.setattr(process.clients._registry, "version", away)
        assert await process.clients.follow() == SECONDS
        assert process.clients.find(key) is not None
    await retire(database, "acme")
    await process.clients.follow()
    assert process.clients.has_retired("acme")
