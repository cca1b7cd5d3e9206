"""Holds for tests, and all that a hold can change."""

from __future__ import annotations

from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager
from typing import Any
from uuid import UUID, uuid4

from sqlalchemy import text

from core.db import Database
from services.holds import Owner, Placed, Placer, Want
from services.holds.gates import Gates
from services.seats import Plans, states
from services.transitions import Cause

GUEST = Owner(user_id=None)
CAUSE = Cause(actor="guest", reason="the test says so")
TABLES = ("claims", "holds", "hold_items", "pools", "facts", "transitions", "idempotency_keys")


def key() -> str:
    """An idempotency key that a guest may use."""
    return str(uuid4())


def want(slot_id: int, *units: str, quantities: Mapping[str, int] | None = None, **classes: str) -> Want:
    """Those seats of that flight, and so many of its pools; `classes` are booking classes by pool."""
    return Want(slot_id=slot_id, units=units, quantities=quantities or {}, classes=classes)


@asynccontextmanager
async def placing(database: Database, *, gates: Gates | None = None) -> AsyncIterator[Placer]:
    """A process's Placer, closed in the end."""
    placer = Placer(database, Plans(), gates)
    try:
        yield placer
    finally:
        await placer.aclose()


async def hold(database: Database, *wants: Want, minutes: int = 15, with_key: str | None = None) -> Placed:
    """A guest's hold of all of that, placed by a process of its own."""
    async with placing(database) as placer:
        return await placer.place(GUEST, wants, minutes, with_key or key())


async def place(database: Database, slot_id: int, *units: str, minutes: int = 15) -> UUID:
    """A guest's hold of those seats, placed by a process of its own."""
    return (await hold(database, want(slot_id, *units), minutes=minutes)).id


async def everything(database: Database) -> list[Sequence[Any]]:
    """All that a refused step must leave as it was."""
    async with database.reading() as session:
        return [
            (await session.execute(text(f"SELECT * FROM {table} ORDER BY 1, 2"))).all()  # noqa: S608 - our own names
            for table in TABLES
        ]


async def seats(database: Database, slot_id: int) -> dict[str, str]:
    """What each seat is that is not simply free, by number."""
    async with database.reading() as session:
        return {seat.number: str(seat.status) for seat in await states(session, Plans(), slot_id) if seat.version}


async def versions(database: Database, slot_id: int) -> dict[str, int]:
    """The version of each seat that was ever taken and is still remembered."""
    async with database.reading() as session:
        return {seat.number: seat.version for seat in await states(session, Plans(), slot_id) if seat.version}


async def pools(database: Database, slot_id: int) -> dict[str, tuple[int, int]]:
    """How many each pool of a flight counts as held and as sold."""
    async with database.reading() as session:
        rows = await session.execute(text("SELECT code, held, sold FROM pools WHERE slot_id = :id"), {"id": slot_id})
        return {row.code: (row.held, row.sold) for row in rows}


async def facts(database: Database) -> list[tuple[str, str]]:
    """Kind and stream of every fact, in the order in which they were written."""
    async with database.reading() as session:
        rows = await session.execute(text("SELECT kind, stream FROM facts ORDER BY id"))
        return [(row.kind, row.stream) for row in rows]
