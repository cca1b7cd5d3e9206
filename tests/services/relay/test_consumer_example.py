"""The consumer that docs/facts shows does what it says: each fact once, whoever dies."""

from __future__ import annotations

import runpy
import sqlite3
from pathlib import Path
from typing import Any
from uuid import UUID

import asyncpg
import pytest
import redis as blocking

from core.db import Database
from services import outbox
from services.relay import Relay
from tests.factories.facts import MADE_UP, relay_all

EXAMPLE = Path(__file__).parents[3] / "docs" / "facts" / "consumer.py"
BOOKING = UUID(int=1)


@pytest.fixture
def example() -> dict[str, Any]:
    """What the file defines."""
    return runpy.run_path(str(EXAMPLE))


async def captured(database: Database, amount: int) -> None:
    payload = {"booking": str(BOOKING), "captured": amount, "currency": "USD", MADE_UP: True}
    async with database.transaction() as session:
        await outbox.record(session, "payment.captured", outbox.booking_stream(BOOKING), payload)


async def test_each_payment_has_one_receipt(
    database: Database, relay: Relay, lead: asyncpg.Connection, redis_url: str, example: dict[str, Any], tmp_path: Path
) -> None:
    with blocking.Redis.from_url(redis_url, protocol=2) as client, sqlite3.connect(tmp_path / "receipts.db") as store:
        store.execute(example["TABLE"])
        for amount in (100, 200):
            await captured(database, amount)
        await relay_all(relay, lead)
        example["join"](client)
        example["join"](client)
        assert example["step"](client, store, "one", 10) == 2
        assert example["step"](client, store, "one", 10) == 0

        await captured(database, 300)
        await relay_all(relay, lead)
        ((_, [(_, fields)]),) = client.xreadgroup(example["GROUP"], "two", {example["STREAM"]: ">"})
        assert b'"captured": 300' in fields[b"fact"]  # and then it died
        example["step"].__globals__["FORGOTTEN_AFTER"] = 0
        assert example["step"](client, store, "one", 10) == 1

        client.flushall()
        assert example["step"](client, store, "one", 10) == 0
        await captured(database, 400)
        await relay_all(relay, lead)
        assert example["step"](client, store, "one", 10) == 1
        receipts = store.execute("SELECT fact_id, booking, amount FROM receipts ORDER BY fact_id").fetchall()
    assert receipts == [(n, str(BOOKING), amount) for n, amount in enumerate((100, 200, 300, 400), 1)]
