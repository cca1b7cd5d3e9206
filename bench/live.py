"""The streams: how long after a change somebody who watches sees it."""

from __future__ import annotations

import asyncio
import itertools
import random
import time
from collections.abc import Sequence
from contextlib import AsyncExitStack
from dataclasses import replace

from redis.asyncio import Redis

from bench.client import Connection, Watcher, checked, request, watching
from bench.laptop import Laptop
from bench.loop import WARM, Once, Sample, closed
from bench.shop import Pair, Shop, holding
from core.db import Database
from core.embedded import EmbeddedValkey
from core.settings import asyncpg_url
from services.flights import FlightUpdate, record_update
from services.transitions import Cause

PUBLISH = "PUBLISH alone"
SEAT_MAP = "SeatMapEvents"
FROM_ANSWER = "SeatMapEvents, from the hold's answer"
FROM_REQUEST = "SeatMapEvents, from the hold's request"
FLIGHT_STATUS = "FlightStatusEvents"
CAUSE = Cause(actor="bench", reason="to be measured")
CHANNEL = "bench"


async def measure(laptop: Laptop, shop: Shop, watchers: int, seconds: float) -> dict[str, Sample]:
    """Each stream's sample: so many watchers, each of a flight of its own that changes again and again."""
    by_flight: dict[int, list[Pair]] = {}
    for pair in shop.pairs:
        by_flight.setdefault(pair.slot_id, []).append(pair)
    flights = sorted(by_flight, key=lambda slot_id: -len(by_flight[slot_id]))[:watchers]
    samples: dict[str, Sample] = {}
    async with AsyncExitStack() as stack:
        redis = await stack.enter_async_context(Redis.from_url(EmbeddedValkey(laptop.home / "valkey").url))
        hearers = [await publication(stack, redis, number) for number in range(watchers)]
        samples[PUBLISH] = await closed(laptop, PUBLISH, hearers, seconds)
        since_answer: list[float] = []
        holders = [await seat_taken(stack, laptop, by_flight[slot_id], since_answer) for slot_id in flights]
        samples[FROM_REQUEST] = await closed(laptop, SEAT_MAP, holders, seconds)
        samples[FROM_ANSWER] = replace(samples[FROM_REQUEST], took=since_answer[watchers * WARM :])
        database = Database(asyncpg_url(laptop.database_url), pool_size=watchers)
        stack.push_async_callback(database.close)
        operators = [await gate_changed(stack, laptop, database, slot_id) for slot_id in flights]
        samples[FLIGHT_STATUS] = await closed(laptop, FLIGHT_STATUS, operators, seconds)
    taken = {pair for slot_id in flights for pair in by_flight[slot_id]}
    kept = [pair for pair in shop.pairs if pair not in taken]
    shop.pairs.clear()
    shop.pairs.extend(kept)
    return samples


async def pause() -> None:
    """So long that no change is in step with the relay's ticks."""
    await asyncio.sleep(random.uniform(0.01, 0.05))


async def publication(stack: AsyncExitStack, redis: Redis, number: int) -> Once:
    """From PUBLISH to the message at a subscriber: what any way through Valkey costs at least."""
    channel = f"{CHANNEL}:{number}"
    pubsub = await stack.enter_async_context(redis.pubsub(ignore_subscribe_messages=True))
    await pubsub.subscribe(channel)

    async def once() -> float:
        await pause()
        began = time.perf_counter()
        await redis.publish(channel, b"seen")
        while await pubsub.get_message(timeout=1) is None:
            pass
        return time.perf_counter() - began

    return once


async def seat_taken(stack: AsyncExitStack, laptop: Laptop, pairs: Sequence[Pair], since_answer: list[float]) -> Once:
    """From the request of HoldSeats to the event that shows these seats as taken.

    `since_answer` gets the same from the answer: below zero where the event is there first.
    """
    connection = await Connection.open(laptop.port)
    stack.callback(connection.close)
    waiting = iter(pairs)
    watcher = await stack.enter_async_context(watching(laptop.port, SEAT_MAP, flightId=pairs[0].flight_id))
    await watcher.next()

    async def once() -> float | None:
        await pause()
        pair = next(waiting, None)
        if pair is None:
            return None
        sent = time.perf_counter()
        answer = asyncio.create_task(answered(connection, pair))
        seen = await until(watcher, set(pair.seats))
        since_answer.append(seen - await answer)
        return seen - sent

    return once


async def answered(connection: Connection, pair: Pair) -> float:
    """Hold two seats; when the answer was there."""
    answer = await connection.send(request("HoldSeats", holding(pair)))
    at = time.perf_counter()
    checked(answer, "Hold")
    return at


async def until(watcher: Watcher, seats: set[str]) -> float:
    """When the event came that shows these seats as locked."""
    while True:
        event = await watcher.next()
        at = time.perf_counter()
        if seats <= {seat["number"] for seat in event["seats"] if seat["status"] == "LOCKED"}:
            return at


async def gate_changed(stack: AsyncExitStack, laptop: Laptop, database: Database, slot_id: int) -> Once:
    """From the commit of an operator's update to the event that shows it."""
    flight_id = Pair(slot_id, ("", "")).flight_id
    watcher = await stack.enter_async_context(watching(laptop.port, FLIGHT_STATUS, flightIds=[flight_id]))
    await watcher.next()
    gates = (f"B{number}" for number in itertools.count(1))

    async def once() -> float:
        await pause()
        gate = next(gates)
        async with database.transaction() as session:
            await record_update(session, FlightUpdate(slot_id=slot_id, departure_gate=gate), CAUSE)
        committed = time.perf_counter()
        while (await watcher.next())["flight"]["departureGate"] != gate:
            pass
        return time.perf_counter() - committed

    return once
