"""A run: buyers buy while things break; then all is let settle, and everything that must hold is asked."""

from __future__ import annotations

import asyncio
import random
import time
from collections import Counter
from collections.abc import AsyncIterator, Callable, Iterable, Iterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from itertools import chain
from pathlib import Path

from sqlalchemy import text

from core import ids
from core.db import Database
from services import invariants
from services.invariants import Finding
from tests.chaos.audience import Viewer, audience, differences
from tests.chaos.buyers import Buyer, Market
from tests.chaos.faults import FAULTS, Fault
from tests.chaos.histories import History, Unit
from tests.chaos.house import House, opened
from tests.chaos.linear import Verdict
from tests.factories.facts import misfits_in
from tests.fakes.clients import Client
from tests.stories.journeys import search

SETTLING_SECONDS = 180.0
"""Patience with what was interrupted, which completes or undoes itself."""

VIEWING_SECONDS = 20.0
"""Patience with viewers who come back just now."""

UNSETTLED = {
    "payments under way": "SELECT count(*) FROM bookings WHERE status = 'PAYMENT_PENDING'",
    "refunds under way": "SELECT count(*) FROM refunds WHERE status = 'REQUESTED'",
    "bookings past their time": "SELECT count(*) FROM bookings JOIN holds ON holds.id = bookings.hold_id"
    " WHERE bookings.status = 'SEATS_LOCKED' AND holds.expires_at <= jetway_now()",
    "holds past their time": "SELECT count(*) FROM holds WHERE status = 'ACTIVE' AND expires_at <= jetway_now()",
    "facts untold": "SELECT count(*) FROM facts"
    " WHERE position IS NULL OR position > (SELECT min(position) FROM relay_cursors)",
}
HASTEN = text("UPDATE pgqueuer SET execute_after = now() WHERE status = 'queued' AND execute_after > now()")
"""Jobs wait by PostgreSQL's own clock, which goes no faster than ours."""


@dataclass
class Report:
    """What was done, and what came of it."""

    seed: int
    faults: Counter[str] = field(default_factory=Counter)
    outcomes: Counter[str] = field(default_factory=Counter)
    losses: Counter[str] = field(default_factory=Counter)
    attempts: int = 0
    deeds: int = 0
    heard: Counter[str] = field(default_factory=Counter)
    """What the viewers of the seat maps heard."""
    unsettled: dict[str, int] = field(default_factory=dict)
    findings: Sequence[Finding] = ()
    verdicts: dict[Unit, Verdict] = field(default_factory=dict)
    surprises: list[str] = field(default_factory=list)
    """What buyers were told and should not have been, or what is not as they were told."""

    def faults_found(self) -> list[str]:
        """Everything that should hold and does not, a line each."""
        found = [f"still {what}: {count}" for what, count in self.unsettled.items() if count]
        found += [f"{one.name}: {line}" for one in self.findings for line in one.broken]
        found += self.surprises
        for (flight, seat), verdict in self.verdicts.items():
            if not verdict.decided:
                found.append(f"seat {seat} of {flight}: not decided after {verdict.work} steps")
            elif verdict.illegal:
                found.append(f"seat {seat} of {flight}: no order of events explains what buyers were told:\n{verdict}")
        return found


@dataclass
class Stage:
    """A house, its market, and the history of what was asked of it."""

    house: House
    market: Market
    history: History
    seed: int

    def buyers(self, count: int, over: asyncio.Event) -> list[Buyer]:
        """So many buyers, each with dice of their own."""
        return [
            Buyer(f"buyer {n}", self.market, self.history, random.Random(f"{self.seed}/{n}"), over)
            for n in range(count)
        ]


@asynccontextmanager
async def staged(
    folder: Path, seed: int, servers: int, kind: type[House] = House, **settings: str
) -> AsyncIterator[Stage]:
    """Everything that a run needs; its logs and its history lie in `folder`. The settings are PostgreSQL's."""
    async with opened(kind(folder, servers, settings)) as (house, clock):
        history = History(clock, folder / "history.jsonl")
        try:
            yield Stage(house, await market_of(house), history, seed)
        finally:
            history.close()


async def market_of(house: House) -> Market:
    """What the two flights have."""
    async with Client(house.urls[0]) as client:
        edges = (await search(client, house.day))["edges"]
        flights = sorted({edge["node"]["slices"][0]["segments"][0]["flight"]["id"] for edge in edges})
        maps = {one: (await client.ask("SeatMap", flightId=one))["seatMap"]["cabins"] for one in flights}
    seats = {
        flight: {one["cabin"]: [seat["number"] for row in one["rows"] for seat in row["seats"]] for one in cabins}
        for flight, cabins in maps.items()
    }
    return Market(house.urls, house.day, seats)


async def rampage(
    stage: Stage, buyers: int, plan: Iterable[Fault], enough: Callable[[Counter[str]], bool], pause: float
) -> Report:
    """Buyers shop while the faults of `plan` are done one after another, until there were enough outcomes; then ask.

    Between two faults there is a pause of up to so many seconds. As many viewers as buyers watch the flights.
    """
    async with audience(stage.house.urls, list(stage.market.seats), buyers, stage.seed) as viewers:
        return await watched_rampage(stage, buyers, viewers, plan, enough, pause)


async def watched_rampage(
    stage: Stage,
    buyers: int,
    viewers: Sequence[Viewer],
    plan: Iterable[Fault],
    enough: Callable[[Counter[str]], bool],
    pause: float,
) -> Report:
    """The same, in front of these viewers."""
    report, over, dice = Report(stage.seed), asyncio.Event(), random.Random(stage.seed)
    crowd = stage.buyers(buyers, over)
    shopping = [asyncio.create_task(buyer.shop()) for buyer in crowd]
    try:
        for fault in plan:
            if (await asyncio.wait(shopping, timeout=dice.uniform(0, pause), return_when=asyncio.FIRST_COMPLETED))[0]:
                break  # a buyer who stops has met what nobody thought of: that is raised below
            await fault(stage.house, dice)
            report.faults[fault.__name__] += 1
            stage.house.look()
        stopped: set[asyncio.Task[None]] = set()
        while not stopped and not enough(totals(crowd)):
            stopped, _ = await asyncio.wait(shopping, timeout=0.1, return_when=asyncio.FIRST_COMPLETED)
        over.set()
        await asyncio.gather(*shopping)
        await ask_everything(stage, crowd, viewers, report)
    finally:
        over.set()
        await asyncio.gather(*shopping, return_exceptions=True)
        for buyer in crowd:
            await buyer.close()
    return report


def for_minutes(minutes: float, seed: int) -> Iterator[Fault]:
    """Faults at random, as long as the time lasts; with the same seed the same ones in the same order."""
    dice, deadline = random.Random(f"{seed}/faults"), time.monotonic() + 60 * minutes
    while time.monotonic() < deadline:
        yield dice.choice(FAULTS)


def totals(crowd: Sequence[Buyer]) -> Counter[str]:
    """How often each thing came of what buyers asked for."""
    return sum((buyer.outcomes for buyer in crowd), Counter())


async def ask_everything(stage: Stage, crowd: Sequence[Buyer], viewers: Sequence[Viewer], report: Report) -> None:
    """Let all settle; then ask buyers, viewers, invariants, the gateway's books and the checker."""
    house, history = stage.house, stage.history
    await house.ready()
    await asyncio.gather(*(buyer.settle_unknown() for buyer in crowd))
    async with house.database() as database:
        report.unsettled = await settle(database)
        await asyncio.gather(*(buyer.last_words() for buyer in crowd))
        for flight in stage.market.seats:
            await crowd[0].look(flight)
        report.findings = await invariants.check(database)
        report.surprises += await holds_released(database, crowd)
    report.surprises += await misfits_in(house.postgres.url())
    report.surprises += [*chain.from_iterable(viewer.wrong for viewer in viewers), *await disagreements(viewers)]
    report.heard = sum((viewer.heard for viewer in viewers), Counter())
    house.look()
    report.surprises += [*house.ended, *house.unexpected(), *chain.from_iterable(buyer.surprises for buyer in crowd)]
    report.surprises += history.versions_gone_back()
    report.outcomes = totals(crowd)
    report.losses = sum((buyer.losses for buyer in crowd), Counter())
    report.attempts, report.deeds = history.attempts, len(history.deeds)
    report.verdicts = await asyncio.to_thread(history.verdicts)


async def settle(database: Database) -> dict[str, int]:
    """Wait until nothing is under way any more; what still is, by name, when patience ends."""
    left: dict[str, int] = {}
    for _ in range(int(SETTLING_SECONDS / 0.2)):
        async with database.transaction() as session:
            await session.execute(HASTEN)
        async with database.reading() as session:
            left = {what: (await session.execute(text(count))).scalar_one() for what, count in UNSETTLED.items()}
        if not any(left.values()):
            break
        await asyncio.sleep(0.2)
    return left


async def disagreements(viewers: Sequence[Viewer]) -> list[str]:
    """Where viewers still see something else than somebody who comes now, when patience ends."""
    found: list[str] = []
    for _ in range(int(VIEWING_SECONDS / 0.1)):
        found = await differences(viewers)
        if not found:
            break
        await asyncio.sleep(0.1)
    return found


async def holds_released(database: Database, crowd: Sequence[Buyer]) -> list[str]:
    """Holds whose owner was told that they are released, and which are not."""
    told = [ids.uuid_of("Hold", hold, "id") for buyer in crowd for hold in buyer.released]
    async with database.reading() as session:
        rows = await session.execute(
            text("SELECT id, status FROM holds WHERE id = ANY (:ids) AND status <> 'RELEASED'"), {"ids": told}
        )
        return [f"hold {row.id} is {row.status}; its owner was told that it is released" for row in rows]
