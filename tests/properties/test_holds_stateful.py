"""Whatever shoppers do in whatever order, PostgreSQL says what a plain Python inventory says, after every step."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID

from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    RuleBasedStateMachine,
    invariant,
    precondition,
    rule,
    run_state_machine_as_test,
)
from sqlalchemy import text

from core.db import Database, Session
from core.errors import DomainError
from core.settings import asyncpg_url
from services import holds
from services.holds import Placer, SeatsTaken
from services.seats import Plans, states
from tests.factories.holds import CAUSE, GUEST, key, want
from tests.factories.schedules import Schedule
from tests.fakes.clock import set_clock
from tests.fakes.inventory import Inventory, ModelHold, Refused

SECTIONS = {"1A": "FIRST", "1B": "FIRST", "2A": "ECONOMY", "2B": "ECONOMY", "3A": "ECONOMY"}
AUTHORISED = {"FIRST": 1, "ECONOMY": 4}
BOUNDS = settings(
    max_examples=25,
    stateful_step_count=40,
    deadline=None,
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.filter_too_much],
)


class Shoppers(RuleBasedStateMachine):
    """Steps that are taken twice: by the services on a real database, and by the model."""

    database: Database
    runner: asyncio.Runner
    slot_id: int
    plans: Plans
    placer: Placer

    def __init__(self) -> None:
        super().__init__()
        self.noon = datetime.now(UTC)
        self.model = Inventory(sections=SECTIONS, authorised=AUTHORISED)
        self.placed: dict[UUID, ModelHold] = {}
        self.versions: dict[str, int] = {}
        self.run(self.begin())

    def run(self, work: Awaitable[Any]) -> Any:
        """Let a coroutine come to its end."""

        async def wait() -> Any:
            return await work

        return self.runner.run(wait())

    async def begin(self) -> None:
        """Nothing is held, nothing sold."""
        await set_clock(self.database, self.noon)
        async with self.database.transaction() as session:
            for table in ("claims", "hold_items", "holds", "idempotency_keys"):
                await session.execute(text(f"DELETE FROM {table}"))  # noqa: S608 - our own names
            for pool, places in AUTHORISED.items():
                statement = "UPDATE pools SET authorised = :places, held = 0, sold = 0 WHERE code = :pool"
                await session.execute(text(statement), {"places": places, "pool": pool})

    def both(self, step: Callable[[Session], Awaitable[object]], model: Callable[[], object]) -> None:
        """Take a step on both sides; they refuse it alike or agree to it."""

        async def work() -> object:
            async with self.database.transaction() as session:
                return await step(session)

        assert self.outcome(lambda: self.run(work())) == self.outcome(model)

    def outcome(self, step: Callable[[], object]) -> str:
        """`done`, or the code of the refusal."""
        try:
            step()
        except DomainError as refusal:
            return refusal.code
        except Refused as refusal:
            return str(refusal.args[0])
        return "done"

    @rule(data=st.data(), minutes=st.sampled_from([5, 15]), kind=st.sampled_from(["free", "lapsed", "any"]))
    def place(self, data: st.DataObject, minutes: int, kind: str) -> None:
        free = {unit for unit in SECTIONS if self.model.seat(unit) == "AVAILABLE"}
        wanted = {"free": free, "lapsed": free & set(self.model.owners), "any": set(SECTIONS)}[kind]
        units = data.draw(st.frozensets(st.sampled_from(sorted(wanted or SECTIONS)), min_size=1, max_size=2), "units")
        hold, reasons = None, ()
        try:
            hold = self.model.place(units, minutes)
        except Refused as refusal:
            reasons = refusal.args
        answer = self.asked(units, minutes)
        if hold is None:
            assert answer == reasons
        else:
            self.placed[answer[0]] = hold

    def asked(self, units: frozenset[str], minutes: int) -> tuple[Any, ...]:
        """The hold that the database places, or the refusal's code and the seats that it names."""
        try:
            wants = [want(self.slot_id, *units)]
            return (self.run(self.placer.place(GUEST, wants, minutes, key())).id,)
        except SeatsTaken as refusal:
            return refusal.code, frozenset(refusal.taken[self.slot_id])
        except DomainError as refusal:
            return (refusal.code,)

    def one_of(self, data: st.DataObject, status: str) -> tuple[UUID, ModelHold]:
        """A hold of that status, or, where there is none, any."""
        wanted = [pair for pair in self.placed.items() if pair[1].status == status]
        return data.draw(st.sampled_from(wanted or list(self.placed.items())), "hold")

    @precondition(lambda self: self.placed)
    @rule(data=st.data(), step=st.sampled_from(["extend", "release", "take over", "take over", "give back"]))
    def act(self, data: st.DataObject, step: str) -> None:
        """One rule for all of them: Hypothesis leaves whole rules out of an example, and these belong together."""
        hold_id, hold = self.one_of(data, "BOOKED" if step == "give back" else "ACTIVE")
        units = data.draw(st.frozensets(st.sampled_from(sorted(hold.units)), min_size=1), "units")
        some = [want(self.slot_id, *units)]
        match step:
            case "extend":
                self.both(lambda session: holds.extend(session, hold_id, GUEST, key()), lambda: self.model.extend(hold))
            case "release":
                self.both(lambda session: holds.release(session, hold_id, CAUSE), lambda: self.model.release(hold))
            case "take over":
                self.both(lambda session: holds.take_over(session, hold_id, CAUSE), lambda: self.model.take_over(hold))
            case "give back":
                self.both(
                    lambda session: holds.give_back(session, hold_id, some),
                    lambda: self.model.give_back(hold, units),
                )

    @rule(minutes=st.sampled_from([4, 10]), sweeper_comes=st.booleans())
    def time_passes(self, minutes: int, sweeper_comes: bool) -> None:
        self.model.now += minutes
        self.run(set_clock(self.database, self.noon + timedelta(minutes=self.model.now)))
        if sweeper_comes:
            assert self.run(self.sweep()) == self.model.expire(self.model.holds)

    async def sweep(self) -> int:
        """Write down what the deadlines have decided; how many holds that were."""
        async with self.database.transaction() as session:
            return await holds.expire_due(session, 100)

    @invariant()
    def they_agree(self) -> None:
        self.run(self.compare())

    async def compare(self) -> None:
        """Seats, owners, pools, holds and versions."""
        async with self.database.reading() as session:
            seats = {seat.number: seat for seat in await states(session, self.plans, self.slot_id)}
            claims = (await session.execute(text("SELECT unit, hold_id FROM claims WHERE hold_id IS NOT NULL"))).all()
            pools = await session.execute(
                text("SELECT code, held, sold FROM pools WHERE slot_id = :id"), {"id": self.slot_id}
            )
            stored = (await session.execute(text("SELECT id, status, expires_at, extensions FROM holds"))).all()
        assert {unit: str(seats[unit].status) for unit in SECTIONS} == {u: self.model.seat(u) for u in SECTIONS}
        assert {claim.unit: self.placed[claim.hold_id] for claim in claims} == self.model.owners
        assert {pool.code: (pool.held, pool.sold) for pool in pools} == self.model.pools()
        assert {hold.id: (hold.status, hold.expires_at, hold.extensions) for hold in stored} == {
            hold_id: (hold.status, self.noon + timedelta(minutes=hold.deadline), hold.extensions)
            for hold_id, hold in self.placed.items()
        }
        for unit in SECTIONS:
            assert seats[unit].version >= self.versions.get(unit, 0)
            self.versions[unit] = seats[unit].version


def test_the_database_and_the_model_agree_after_every_step(database_url: str, schedule: Schedule) -> None:
    with asyncio.Runner() as runner:
        database = Database(asyncpg_url(database_url), pool_size=2)
        plans, slot_id = Plans(), schedule.first
        placer = Placer(database, plans)
        world = {"database": database, "runner": runner, "slot_id": slot_id, "plans": plans, "placer": placer}
        machine: type[RuleBasedStateMachine] = type("Shoppers", (Shoppers,), world)
        try:
            run_state_machine_as_test(machine, settings=BOUNDS)
        finally:
            runner.run(placer.aclose())
            runner.run(database.close())
