"""Whatever happens, a fresh snapshot equals the old one plus the deltas, for those who stay and those who come back."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, suppress
from dataclasses import dataclass, field
from uuid import UUID

import asyncpg
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from redis.asyncio import Redis
from sqlalchemy import text

from core.db import Database
from core.errors import Conflict
from services import holds
from services.relay import Relay, ToValkey
from services.seats import Plans
from services.transitions import Cause
from subscriptions.hub import Hub
from tests.factories.facts import leader, relay_all
from tests.factories.holds import place
from tests.factories.schedules import Schedule
from tests.fakes.waiting import eventually
from tests.fakes.watching import Viewer, fresh, watching

SEATS = ["1A", "1B", "2A", "2B", "2C", "3D"]
CAUSE = Cause(actor="guest", reason="property")
PAST = "expires_at = jetway_now() - interval '1 second'"

STEP = st.one_of(
    st.tuples(st.just("hold"), st.lists(st.sampled_from(SEATS), min_size=1, max_size=4, unique=True)),
    st.tuples(st.sampled_from(["release", "lapse"]), st.integers(0, 5)),
    st.tuples(st.sampled_from(["sweep", "tell", "tell again", "cut", "leave", "come"]), st.none()),
)


@dataclass
class World:
    """A slot, shoppers who change it, the relay that tells of it; one viewer stays, the other comes and goes."""

    database: Database
    plans: Plans
    hub: Hub
    redis: Redis
    relay: Relay
    leading: asyncpg.Connection
    slot_id: int
    held: list[UUID] = field(default_factory=list)
    stays: Viewer = field(default_factory=Viewer)
    roams: Viewer = field(default_factory=Viewer)
    visit: AsyncExitStack = field(default_factory=AsyncExitStack)
    visiting: bool = False

    async def take(self, step: str, argument: list[str] | int | None) -> None:
        """Let one thing happen."""
        match step, argument:
            case "hold", list(units):
                await self.hold(units)
            case "release", int(which) if self.held:
                await self.release(self.held[which % len(self.held)])
            case "lapse", int(which) if self.held:
                await self.lapse(self.held[which % len(self.held)])
            case "sweep", _:
                async with self.database.transaction() as session:
                    await holds.expire_due(session, 100)
            case "tell", _:
                await relay_all(self.relay, self.leading)
            case "tell again", _:
                await self.leading.execute("UPDATE relay_cursors SET position = 0")
                self.relay = Relay("", ToValkey(self.redis))
            case "cut", _:
                await self.redis.client_kill_filter(_type="pubsub")
            case "leave", _:
                await self.leave()
            case "come", _:
                await self.come()

    async def hold(self, units: list[str]) -> None:
        """Somebody holds seats, or is refused."""
        with suppress(Conflict):
            self.held.append(await place(self.database, self.slot_id, *units))

    async def release(self, hold_id: UUID) -> None:
        """A hold is given back, unless it has ended."""
        with suppress(Conflict):
            async with self.database.transaction() as session:
                await holds.release(session, hold_id, CAUSE)

    async def lapse(self, hold_id: UUID) -> None:
        """The deadline of a hold passes; nobody has written it down yet."""
        async with self.database.transaction() as session:
            for table, key, status in (("claims", "hold_id", "LOCKED"), ("holds", "id", "ACTIVE")):
                statement = f"UPDATE {table} SET {PAST} WHERE {key} = :id AND status = '{status}'"  # noqa: S608 - ours
                await session.execute(text(statement), {"id": hold_id})

    async def come(self) -> None:
        """The viewer who roams comes back, with the last cursor."""
        if not self.visiting:
            await self.visit.enter_async_context(
                watching(self.roams, self.database, self.plans, self.hub, self.slot_id)
            )
            self.visiting = True

    async def leave(self) -> None:
        """The viewer who roams goes away."""
        await self.visit.aclose()
        self.visiting = False

    async def agreed(self) -> bool:
        """Whether both viewers know what a fresh snapshot would show."""
        truth = await fresh(self.database, self.plans, self.slot_id)
        return self.stays.seats == truth == self.roams.seats


@pytest.fixture
async def world(
    database: Database, database_url: str, schedule: Schedule, plans: Plans, redis_url: str
) -> AsyncIterator[World]:
    """The first flight of the schedule, which lives on through all examples: the rule holds from any state on."""
    leading = await leader(database_url)
    async with Redis.from_url(redis_url) as redis, Hub(redis_url) as hub:
        yield World(database, plans, hub, redis, Relay(database_url, ToValkey(redis)), leading, schedule.first)
    await leading.close()


@given(steps=st.lists(STEP, min_size=5, max_size=25))
@settings(max_examples=30, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
async def test_a_fresh_snapshot_equals_the_old_one_plus_the_deltas(world: World, steps: list[tuple[str, None]]) -> None:
    world.stays, world.roams = Viewer(), Viewer()
    async with watching(world.stays, world.database, world.plans, world.hub, world.slot_id):
        await world.come()
        for step, argument in steps:
            await world.take(step, argument)
        await world.come()
        await world.take("sweep", None)
        await world.take("tell", None)
        await eventually(world.agreed)
        await asyncio.shield(world.leave())
    assert world.stays.wrong == []
    assert [event for event in world.stays.events[1:] if hasattr(event, "reset")] == []
