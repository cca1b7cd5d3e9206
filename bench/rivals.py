"""A thousand buyers of a hundred seats of one slot, beside the same with plain conditional updates."""

from __future__ import annotations

import asyncio
import random
import time
from collections.abc import Awaitable, Callable, Sequence
from statistics import median

import asyncpg

from bench.report import figure, table
from bench.stand import PAIRS, POOL, Stand, placing
from core.ids import uuid7
from services.holds import SeatsTaken, Want

BUYERS = 1_000
SEATS = PAIRS[:50]
ROUNDS = 5
CONNECTIONS = 32
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

Buy = Callable[[tuple[str, str]], Awaitable[bool]]


async def measure(one: Stand) -> str:
    """Both, by turns, in Markdown; raises where there are not as many winners as there are pairs of seats."""
    wishes = [random.Random(seed).choices(SEATS, k=BUYERS) for seed in range(ROUNDS)]
    ours, theirs = [], []
    pool = await asyncpg.create_pool(one.url, min_size=CONNECTIONS, max_size=CONNECTIONS)
    try:
        for wished in wishes:
            await one.clear()
            await one.admin.execute(ROWS, one.slots[0], [unit for pair in SEATS for unit in pair])
            theirs.append(await crowd(one, plain(pool, one.slots[0]), wished))
            await one.clear()
            async with one.placer() as placer:
                await placing(placer)(Want(slot_id=one.slots[0], units=PAIRS[-1]))  # its connections are open then
                await one.clear()
                ours.append(await crowd(one, held(placing(placer), one.slots[0]), wished))
    finally:
        await pool.close()
    mine, plainly = median(ours) * 1000, median(theirs) * 1000
    winners = f"{len(SEATS)} each time"
    goal = f"≤ {MOST_MS} ms, ≥ {TIMES} times faster"
    rows = [
        ["conditional updates, 32 connections", figure(plainly), winners, ""],
        ["Placer", figure(mine), winners, goal],
        ["times faster", f"{figure(plainly / mine)} ×", "", ""],
    ]
    return table(HEAD, rows)


async def crowd(one: Stand, buy: Buy, wished: Sequence[tuple[str, str]]) -> float:
    """Seconds until everybody was answered; raises unless exactly the right number won."""
    began = time.perf_counter()
    won = sum(await asyncio.gather(*(buy(pair) for pair in wished)))
    took = time.perf_counter() - began
    locked = await one.admin.fetchval("SELECT count(*) FROM claims WHERE status = 'LOCKED'")
    held = await one.admin.fetchval("SELECT sum(held) FROM pools")
    if not 2 * won == locked == held == 2 * len(set(wished)):
        raise RuntimeError(f"{won} won, {locked} seats are locked and {held} are counted")
    return took


def held(place: Callable[[Want], Awaitable[object]], slot_id: int) -> Buy:
    """A buyer who asks for a hold."""

    async def buy(pair: tuple[str, str]) -> bool:
        try:
            await place(Want(slot_id=slot_id, units=pair))
        except SeatsTaken:
            return False
        return True

    return buy


def plain(pool: asyncpg.Pool, slot_id: int) -> Buy:
    """A buyer with a transaction of conditional updates, as most would write it."""

    async def buy(pair: tuple[str, str]) -> bool:
        hold_id = uuid7()
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
