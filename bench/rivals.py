"""A thousand buyers of a hundred seats of one slot, beside the same with plain conditional updates."""

from __future__ import annotations

import asyncio
import random
import time
from collections.abc import Awaitable, Callable, Sequence
from statistics import median
from uuid import uuid4

import asyncpg

from bench.report import figure, table
from bench.stand import GUEST, PAIRS, POOL, Stand, placing, rate
from core import garbage
from core.ids import uuid7
from services.holds import Placer, SeatsTaken, Want

BUYERS = 1_000
SEATS = PAIRS[:50]
ROUNDS = 5
CONNECTIONS = 32
CLIENTS = 256
WARM_SECONDS = 1.0
SLOTS = 100
MOST_MS = 40
TIMES = 8
HEAD = ("1,000 buyers, 100 seats of one slot", "all answered, ms (median of 5)", "winners", "goal")

TAKE = """
    UPDATE claims SET status = 'LOCKED', hold_id = $3, expires_at = now() + interval '15 minutes',
                      version = nextval('claim_versions')
    WHERE slot_id = $1 AND unit = ANY ($2) AND status = 'AVAILABLE' RETURNING unit, version
"""
HOLD = """
    INSERT INTO holds (id, status, minutes, created_at, expires_at, cap_at)
    VALUES ($1, 'ACTIVE', 15, now(), now() + interval '15 minutes', now() + interval '30 minutes')
"""
ITEM = "INSERT INTO hold_items (hold_id, slot_id, pool, quantity, units) VALUES ($1, $2, $3, 2, $4)"
FACT = "INSERT INTO facts (kind, stream, payload) VALUES ('seat.locked', 'slot:' || $1::bigint, '{}')"
COUNT = "UPDATE pools SET held = held + 2 WHERE slot_id = $1 AND held + sold + 2 <= authorised RETURNING held"
ROWS = """
    INSERT INTO claims (slot_id, unit, status, version, changed_at)
    SELECT $1, unit, 'AVAILABLE', 0, now() FROM unnest($2::text[]) AS unit
"""

LOCKED = "SELECT count(*) FROM claims WHERE status = 'LOCKED' AND slot_id = $1 AND unit = ANY ($2)"

Buyer = Callable[[], Awaitable[bool]]


async def measure(some: Stand) -> str:
    """Both, by turns, each round on a slot of its own; in Markdown. Raises where too many or too few win."""
    wishes = [random.Random(seed).choices(SEATS, k=BUYERS) for seed in range(ROUNDS)]
    ours, theirs = [], []
    await some.clear()
    pooled = asyncpg.create_pool(some.url, min_size=CONNECTIONS, max_size=CONNECTIONS)
    async with pooled as pool, some.placer() as placer:
        await warm(some, placer)
        for wished, mine, other in zip(wishes, some.slots[:ROUNDS], some.slots[ROUNDS:], strict=False):
            await some.admin.execute(ROWS, other, [unit for pair in SEATS for unit in pair])
            theirs.append(await crowd(some, other, [plain(pool, other, pair) for pair in wished], wished))
            await placing(placer)(Want(slot_id=mine, units=PAIRS[-1]))  # a slot that was asked for before
            ours.append(await crowd(some, mine, [held(placer, mine, pair) for pair in wished], wished))
    placer_ms, plain_ms = median(ours) * 1000, median(theirs) * 1000
    winners = f"{len(SEATS)} each time"
    goal = f"≤ {MOST_MS} ms, ≥ {TIMES} times faster"
    rows = [
        ["conditional updates, 32 connections", figure(plain_ms), winners, ""],
        ["Placer", figure(placer_ms), winners, goal],
        ["times faster", f"{figure(plain_ms / placer_ms)} ×", "", ""],
    ]
    return table(HEAD, rows)


async def warm(some: Stand, placer: Placer) -> None:
    """Every connection of a Placer has done this before."""
    wants = (Want(slot_id=slot_id, units=pair) for slot_id in some.slots[2 * ROUNDS :] for pair in PAIRS)
    await rate(some, placing(placer), wants, CLIENTS, WARM_SECONDS)


async def crowd(some: Stand, slot_id: int, buyers: Sequence[Buyer], wished: Sequence[tuple[str, str]]) -> float:
    """Seconds until everybody was answered; raises unless exactly the right number won."""
    garbage.settle()  # as the server does
    began = time.perf_counter()
    won = sum(await asyncio.gather(*(buy() for buy in buyers)))
    took = time.perf_counter() - began
    taken = await some.admin.fetchval(LOCKED, slot_id, [unit for pair in SEATS for unit in pair])
    if not 2 * won == taken == 2 * len(set(wished)):
        raise RuntimeError(f"{won} won, and {taken} seats are locked")
    return took


def held(placer: Placer, slot_id: int, pair: tuple[str, str]) -> Buyer:
    """A buyer who asks for a hold."""
    wants, key = [Want(slot_id=slot_id, units=pair)], str(uuid4())

    async def buy() -> bool:
        try:
            await placer.place(GUEST, wants, 15, key)
        except SeatsTaken:
            return False
        return True

    return buy


def plain(pool: asyncpg.Pool, slot_id: int, pair: tuple[str, str]) -> Buyer:
    """A buyer with a transaction of conditional updates, as most would write it."""
    hold_id = uuid7()

    async def buy() -> bool:
        async with pool.acquire() as connection:
            transaction = connection.transaction()
            await transaction.start()
            if len(await connection.fetch(TAKE, slot_id, pair, hold_id)) != len(pair):
                await transaction.rollback()
                return False
            await connection.execute(HOLD, hold_id)
            await connection.execute(ITEM, hold_id, slot_id, POOL, pair)
            await connection.execute(FACT, slot_id)
            await connection.fetchval(COUNT, slot_id)
            await transaction.commit()
        return True

    return buy
