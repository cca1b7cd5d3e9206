"""Shoppers, bookings, staff and time, each step taken twice: on a real database, and in a plain Python inventory.

A step must be answered alike on both sides, with the same facts; after it both must look alike, and every invariant of
`services/invariants/` must hold.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Iterator, Mapping, Sequence
from datetime import UTC, datetime, timedelta
from typing import Any, TypeVar
from uuid import UUID

import asyncpg
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, rule, run_state_machine_as_test

from core.db import Database, Session
from core.errors import DomainError
from core.ids import uuid7
from core.settings import asyncpg_url
from services import holds, invariants, pools
from services.holds import ClassClosed, HoldExpired, Placed, Placer, SeatsTaken, SoldOut, Want
from services.holds.gates import Gates, LocalGate
from services.seats import Plans, states
from tests.factories.holds import CAUSE, GUEST, key, want
from tests.factories.schedules import Schedule
from tests.fakes.clock import set_clock
from tests.fakes.inventory import Inventory, ModelHold, ModelPool, PoolKey, Refused, Unit, Wish

T = TypeVar("T")

SECTIONS = {f"{row}{letter}": "FIRST" if row == 1 else "ECONOMY" for row in (1, 2, 3) for letter in "ABCD"}
WANTED = ("1A", "1B", "2A", "2B", "3A")
"""The seats that everybody wants: few, so that they meet."""

CLOCK, RELAY = "A hold whose deadline has passed is written down at once", "What happened is told"
LATE = 0.5
"""Minutes after which a deadline that nobody has written down counts as broken."""

BROKEN = " UNION ALL ".join(
    f"SELECT {number}, broken.line FROM ({one.broken}) AS broken (line)"  # noqa: S608 - our own statements
    for number, one in enumerate(invariants.INVARIANTS)
    if one.name != RELAY  # nobody relays here
)
CLEARED = (
    "seat_assignments passengers bookings claims hold_items holds idempotency_keys transitions facts".split()
)  # in the order in which one hangs on the other
BOOKED = """
    WITH booking AS (
        INSERT INTO bookings (id, pnr, status, hold_id, email, total, currency, created_at)
        VALUES ($1, $2, 'PAYMENT_PENDING', $3, 'ada@example.org', 0, 'USD', now())
    ), history AS (
        INSERT INTO transitions (id, machine, subject_id, to_status, actor, reason, at)
        VALUES ($1, 'booking', $1::text, 'PAYMENT_PENDING', 'guest', 'the test says so', now())
    ), place AS (
        SELECT gen_random_uuid() AS id, row_number() OVER () AS ordinal, slot_id, pool, units[n] AS unit
        FROM hold_items, generate_series(1, quantity) AS n WHERE hold_id = $3
    ), who AS (
        INSERT INTO passengers (id, booking_id, ordinal, type, first_name, last_name, date_of_birth)
        SELECT id, $1, ordinal, 'ADULT', 'Ada', 'Lovelace', '1990-12-10' FROM place
    )
    INSERT INTO seat_assignments (passenger_id, slot_id, pool, unit) SELECT id, slot_id, pool, unit FROM place
"""
"""A booking of all that a hold keeps, somebody in each place."""

TAKEN = "claims WHERE status <> 'AVAILABLE'"
COUNTED = "held, sold, blocked, authorised, overbooking, class_limits, class_held, class_sold"
KEPT = "status, expires_at, cap_at, extensions, booking_id IS NOT NULL, expires_before_payment"

LEFT = """
    DELETE FROM seat_assignments USING (
        SELECT seat.passenger_id, seat.slot_id, seat.unit, row_number() OVER (PARTITION BY seat.slot_id, seat.pool,
               seat.unit IS NULL) AS n, coalesce(given.places, 0) AS places
        FROM seat_assignments AS seat
        JOIN passengers ON passengers.id = seat.passenger_id
        JOIN bookings ON bookings.id = passengers.booking_id AND bookings.hold_id = $1
        LEFT JOIN unnest($4::bigint[], $5::text[], $6::int[]) AS given (slot_id, pool, places)
          ON given.slot_id = seat.slot_id AND given.pool = seat.pool
    ) AS mine
    WHERE seat_assignments.passenger_id = mine.passenger_id AND (
        (mine.unit IS NULL AND mine.n <= mine.places)
        OR (mine.slot_id, mine.unit) IN (SELECT * FROM unnest($2::bigint[], $3::text[])))
"""
"""Nobody is in those places of a hold's booking any more."""


def answer(step: Callable[[], T]) -> tuple[Any, ...]:
    """What a step answers: `done` and its result, or the code and the facts of its refusal."""
    try:
        return "done", step()
    except Refused as refusal:
        return refusal.args[:2] if len(refusal.args) > 1 else (refusal.args[0], None)
    except SeatsTaken as refusal:
        return refusal.code, refusal.taken
    except SoldOut as refusal:
        return refusal.code, (refusal.slot_id, refusal.pool, refusal.left)
    except ClassClosed as refusal:
        return refusal.code, refusal.pools
    except HoldExpired as refusal:
        return refusal.code, refusal.expired_at
    except DomainError as refusal:
        return refusal.code, None


class Shoppers(RuleBasedStateMachine):
    """Steps that are taken twice."""

    database: Database
    look: asyncpg.Connection
    runner: asyncio.Runner
    slots: tuple[int, int]
    plans: Plans
    placers: tuple[Placer, Placer]
    """Those of two processes, of which one has a gate."""

    def __init__(self) -> None:
        super().__init__()
        self.noon = datetime.now(UTC)
        self.model = Inventory(sections=SECTIONS, pools=self.opening())
        self.asked: list[tuple[list[Wish], int, str]] = []
        self.extended: list[str] = []
        self.versions: dict[Unit, tuple[int, str]] = {}
        self.run(self.begin())

    def opening(self) -> dict[PoolKey, ModelPool]:
        """What may be sold in the morning: little of it. One pool has no booking classes."""
        first, second = self.slots
        return {
            (first, "FIRST"): ModelPool(4, 2, limits={"F": 2}),
            (first, "ECONOMY"): ModelPool(8, 4, overbooking=1, limits={"Y": 4, "M": 2}),
            (second, "FIRST"): ModelPool(4, 1),
            (second, "ECONOMY"): ModelPool(8, 3, limits={"Y": 3, "M": 3}),
        }

    def run(self, work: Awaitable[T]) -> T:
        """Let a coroutine come to its end."""

        async def wait() -> T:
            return await work

        return self.runner.run(wait())

    async def begin(self) -> None:
        """Nothing is held, nothing sold."""
        await set_clock(self.database, self.noon)
        await self.look.execute("; ".join(f"DELETE FROM {table}" for table in CLEARED))  # noqa: S608 - our own names
        await self.look.executemany(
            "UPDATE pools SET capacity = $3, authorised = $4, overbooking = $5, classes = $6, class_limits = $7,"
            " held = 0, sold = 0, blocked = 0, class_held = $8, class_sold = $8 WHERE slot_id = $1 AND code = $2",
            [
                (
                    *(*place, pool.capacity, pool.authorised, pool.overbooking),
                    *(list(pool.limits), list(pool.limits.values()), [0] * len(pool.limits)),
                )
                for place, pool in self.model.pools.items()
            ],
        )

    def moment(self, minutes: int) -> datetime:
        """So many minutes after noon."""
        return self.noon + timedelta(minutes=minutes)

    def both(self, step: Callable[[Session], Awaitable[object]], model: Callable[[], object]) -> tuple[Any, ...]:
        """Take a step on both sides; they answer alike. Minutes of the model are moments of the database."""

        async def work() -> object:
            async with self.database.transaction() as session:
                return await step(session)

        expected = answer(model)
        if type(expected[1]) is int and expected[0] in ("done", "HOLD_EXPIRED"):
            expected = expected[0], self.moment(expected[1])
        same(answer(lambda: self.run(work())), expected)
        return expected

    @rule(data=st.data())
    def step(self, data: st.DataObject) -> None:
        """One rule for all steps: Hypothesis leaves whole rules out of an example, and these belong together."""
        steps: list[Callable[[st.DataObject], None]] = [self.place, self.place, self.staff, self.time_passes]
        if self.asked:
            steps += [self.keep, self.keep, self.ask_again]
        if any(hold.booked and hold.status == "ACTIVE" for hold in self.model.holds):
            steps += [self.sell] * 4
        if any(hold.status == "BOOKED" for hold in self.model.holds):
            steps += [self.serve] * 4
        data.draw(st.sampled_from(steps), "step")(data)

    # Shoppers

    def place(self, data: st.DataObject) -> None:
        """Somebody asks for a hold."""
        flights = data.draw(st.sampled_from([(0,), (0,), (1,), (1, 0)]), "flights")
        kind = data.draw(st.sampled_from(["free", "free", "lapsed", "any"]), "kind")
        wishes = [self.wish(data, self.slots[flight], kind) for flight in flights]
        self.ask(data, wishes, data.draw(st.sampled_from([15, 5]), "minutes"), key())

    def ask_again(self, data: st.DataObject) -> None:
        """The same key, for the same or for something else."""
        wishes, minutes, earlier = data.draw(st.sampled_from(self.asked), "asked")
        self.ask(data, wishes, 20 - minutes if data.draw(st.booleans(), "change") else minutes, earlier)

    def wish(self, data: st.DataObject, slot: int, kind: str) -> Wish:
        """Seats that are free, or whose hold is about over, or any; places without a seat; perhaps in a class."""
        among = [number for number in WANTED if self.is_such((slot, number), kind)] or WANTED
        units = data.draw(st.lists(st.sampled_from(among), unique=True, max_size=2), "seats")
        few = [{"ECONOMY": 1}, {"FIRST": 1}, {"ECONOMY": 2}]
        counts = [{}, {}, {}, *few] if units else [*few, *few, {"ECONOMY": 10}, {"GARDEN": 1}]
        places = data.draw(st.sampled_from(counts), "places")
        classes = data.draw(st.sampled_from([{}, {}, {}, {"ECONOMY": "Y"}, {"ECONOMY": "M"}]), "classes")
        return Wish(slot, tuple(units), places, classes)

    def is_such(self, unit: Unit, kind: str) -> bool:
        """Whether the seat is free, or its hold is over at this moment or in a minute, or any."""
        if kind == "lapsed":
            owner = self.model.owner(unit)
            return owner is not None and owner.status == "ACTIVE" and owner.deadline <= self.model.now + 1
        return kind == "any" or self.model.seat(unit) == "AVAILABLE"

    def ask(self, data: st.DataObject, wishes: list[Wish], minutes: int, with_key: str) -> None:
        """Ask for a hold on both sides."""
        wants = [Want(slot_id=w.slot, units=w.units, quantities=w.quantities, classes=w.classes) for w in wishes]
        expected = answer(lambda: self.model.place(wishes, minutes, with_key))
        placer = data.draw(st.sampled_from(self.placers), "process")
        got = answer(lambda: self.run(placer.place(GUEST, wants, minutes, with_key)))
        if "done" not in (got[0], expected[0]):
            same(got, expected)
            return
        same(got[0], expected[0])
        hold, placed = expected[1], got[1]
        if hold.id is None:
            hold.id = placed.id
            self.asked.append((wishes, minutes, with_key))
        same(self.told(placed), self.known(hold))

    def told(self, placed: Placed) -> tuple[Any, ...]:
        """What the database says of a hold that was placed, or asked for again."""
        kept = [(one.slot_id, one.pool, one.quantity, tuple(one.units), one.booking_class) for one in placed.items]
        return (placed.id, placed.status, placed.minutes, placed.extensions, placed.expires_at, placed.cap_at, kept)

    def known(self, hold: ModelHold) -> tuple[Any, ...]:
        """The same as the model has it."""
        status = "EXPIRED" if self.model.due([hold]) else hold.status
        kept = [(one.slot, one.pool, one.quantity, one.units, one.booking_class) for one in hold.items]
        times = self.moment(hold.deadline), self.moment(hold.cap)
        return (hold.id, status, hold.minutes, hold.extensions, *times, kept)

    # Holds and bookings

    def one_of(self, data: st.DataObject, fits: Callable[[ModelHold], bool]) -> ModelHold:
        """A hold for which something is to be won, or, now and then, and where there is none, any."""
        fitting = [one for one in self.model.holds if fits(one)]
        return data.draw(st.sampled_from([*fitting * 3, *self.model.holds]), "hold")

    def keep(self, data: st.DataObject) -> None:
        """Something happens to a hold that belongs to no booking yet."""
        hold = self.one_of(data, lambda one: one.status == "ACTIVE" and not one.booked)
        match data.draw(st.sampled_from(["book", "book", "book", "extend", "extend again", "release"]), "what"):
            case "book":
                names = [*self.model.pools[hold.items[0].key].limits] * 3
                name = data.draw(st.sampled_from([*names, "Q"]), "class")
                classes = {item.slot: name for item in hold.items}
                self.both(lambda session: self.book(session, hold, classes), lambda: self.model.book(hold, classes))
            case "release":
                self.both(self.sending(holds.release, hold, CAUSE), lambda: self.model.release(hold))
            case "extend again" if self.extended:
                self.extend(hold, data.draw(st.sampled_from(self.extended), "key"))
            case _:
                self.extend(hold, key())

    def extend(self, hold: ModelHold, with_key: str) -> None:
        """Extend on both sides."""

        async def step(session: Session) -> datetime:
            return (await holds.extend(session, named(hold), GUEST, with_key)).expires_at

        if self.both(step, lambda: self.model.extend(hold, with_key))[0] == "done":
            self.extended.append(with_key)

    def sell(self, data: st.DataObject) -> None:
        """Something happens to a hold while its booking is paid."""
        hold = self.one_of(data, lambda one: one.booked and one.status == "ACTIVE")
        if not hold.booked:
            return  # nobody has bought it: the services are never asked
        match data.draw(st.sampled_from(["take over", "take over", "pay", "decline", "abandon"]), "what"):
            case "take over":
                self.both(self.sending(holds.take_over, hold, CAUSE), lambda: self.model.take_over(hold))
            case "pay":
                self.both(self.sending(holds.begin_payment, hold), lambda: self.model.begin_payment(hold))
            case "decline":
                self.both(self.sending(holds.payment_failed, hold), lambda: self.model.payment_failed(hold))
            case "abandon":
                self.both(self.sending(holds.abandon, hold, CAUSE), lambda: self.model.abandon(hold))

    def serve(self, data: st.DataObject) -> None:
        """Something happens to what was sold."""
        hold = self.one_of(data, lambda one: one.status == "BOOKED")
        what = data.draw(st.sampled_from(["give back", "give back", "check in", "check out"]), "what")
        if what == "give back":
            self.give_back(data, hold)
        else:
            self.check_in(data, hold, what)

    def some_units(self, data: st.DataObject, hold: ModelHold) -> list[Unit]:
        """Some of the seats that a hold was placed with; some of them may be gone."""
        return data.draw(st.lists(st.sampled_from(hold.units), unique=True), "seats") if hold.units else []

    def give_back(self, data: st.DataObject, hold: ModelHold) -> None:
        """Return seats, and places without a seat: as many as there are, or one too many."""
        units = self.some_units(data, hold)
        item = data.draw(st.sampled_from(hold.items), "item")
        places = {item.key: count} if (count := data.draw(st.integers(0, 2), "places")) else {}

        async def step(session: Session) -> None:
            await holds.give_back(session, named(hold), grouped(units), places)
            given = [[slot for slot, _ in places], [pool for _, pool in places], list(places.values())]
            gone = [[slot for slot, _ in units], [number for _, number in units]]
            await self.sql(session, LEFT, named(hold), *gone, *given)

        self.both(step, lambda: self.model.give_back(hold, units, places))

    def check_in(self, data: st.DataObject, hold: ModelHold, what: str) -> None:
        """Seats go between BOOKED and CHECKED_IN."""
        units = self.some_units(data, hold)
        move, to = (holds.check_in, "CHECKED_IN") if what == "check in" else (holds.undo_check_in, "BOOKED")
        self.both(self.sending(move, hold, grouped(units)), lambda: self.model.check_in(hold, units, to))

    def sending(self, step: Callable[..., Awaitable[Any]], hold: ModelHold, *more: object) -> Callable[..., Any]:
        """A step of the services on a hold, whose answer is compared where it is a moment or a yes or no."""

        async def work(session: Session) -> object:
            said = await step(session, named(hold), *more)
            return said if isinstance(said, datetime | bool) else None

        return work

    async def book(self, session: Session, hold: ModelHold, classes: Mapping[int, str]) -> None:
        """Give the hold to a booking, in the order in which `services/bookings` does."""
        booking_id, locked = uuid7(), await holds.lock_now(session, named(hold))
        await holds.attach(session, locked, booking_id)
        await self.sql(session, BOOKED, booking_id, f"{booking_id}", named(hold))
        await holds.assign_classes(session, locked.hold, classes)

    async def sql(self, session: Session, statement: str, *values: object) -> None:
        """A statement of the test's own, in the transaction of the step."""
        raw = await (await session.connection()).get_raw_connection()
        await raw.driver_connection.execute(statement, *values)  # type: ignore[union-attr]

    # Staff and time

    def staff(self, data: st.DataObject) -> None:
        """Staff block seats, or set what may be sold."""
        slot = data.draw(st.sampled_from(self.slots), "slot")
        what = data.draw(st.sampled_from(["block", "unblock", "authorise", "limit", "overbook"]), "what")
        if what in ("block", "unblock"):
            numbers = data.draw(st.lists(st.sampled_from(WANTED), unique=True, min_size=1, max_size=2), "seats")
            move, plain = (holds.block, self.model.block) if what == "block" else (holds.unblock, self.model.unblock)
            self.both(lambda session: move(session, slot, numbers, CAUSE), lambda: plain(slot, numbers))
            return
        place = slot, data.draw(st.sampled_from(["ECONOMY", "ECONOMY", "FIRST"]), "pool")
        count = data.draw(st.sampled_from([3, 4, 2, 5, 1, 0, 9, 10, -1]), "count")
        if what == "overbook":
            self.both(
                lambda session: nothing(pools.set_overbooking(session, *place, count, CAUSE)),
                lambda: self.model.set_overbooking(place, count),
            )
        elif what == "authorise":
            self.both(
                lambda session: nothing(pools.authorise(session, *place, count, CAUSE)),
                lambda: self.model.authorise(place, count),
            )
        else:
            name = data.draw(st.sampled_from([*self.model.pools[place].limits, "Q"]), "class")
            self.both(
                lambda session: nothing(pools.limit_class(session, *place, name, count, CAUSE)),
                lambda: self.model.limit_class(place, name, count),
            )

    def time_passes(self, data: st.DataObject) -> None:
        """A while later, or at somebody's deadline, or a minute before it; perhaps the sweeper comes."""
        left = [hold.deadline - self.model.now for hold in self.model.holds if self.model.lives(hold)]
        at, before = sorted({*left}), sorted({minutes - 1 for minutes in left if minutes > 1})
        self.model.now += data.draw(st.sampled_from([1, 4, 10, *before[:2], *at[:2]]), "minutes")
        self.run(set_clock(self.database, self.moment(self.model.now)))
        if data.draw(st.booleans(), "sweeper"):
            same(self.run(self.sweep()), self.model.expire(self.model.holds))

    async def sweep(self) -> int:
        """Write down what the deadlines have decided; how many holds that were."""
        async with self.database.transaction() as session:
            return await holds.expire_due(session, 100)

    # What is compared after every step

    @invariant()
    def they_agree(self) -> None:
        self.run(self.compare())

    async def compare(self) -> None:
        """Claims, pools, holds and what they keep; then what shoppers see, and what must always hold."""
        same(await self.rows("slot_id, unit", "status, hold_id, expires_at", TAKEN), dict(self.claims()))
        same(await self.rows("slot_id, code", COUNTED, "pools"), dict(self.counts()))
        same(await self.rows("id", KEPT, "holds"), {(named(hold),): self.state(hold) for hold in self.model.holds})
        same(
            await self.rows("hold_id, slot_id, pool", "quantity, units, booking_class, returned", "hold_items"),
            {
                (named(hold), *item.key): (item.quantity, list(item.units), item.booking_class, item.returned)
                for hold in self.model.holds
                for item in hold.items
            },
        )
        await self.compare_seats()
        late = [f"{hold.id}" for hold in self.model.due(self.model.holds) if hold.deadline <= self.model.now - LATE]
        broken = [(invariants.INVARIANTS[number].name, line) for number, line in await self.look.fetch(BROKEN)]
        same(sorted((name, line.split()[1]) for name, line in broken), sorted((CLOCK, hold_id) for hold_id in late))

    async def rows(self, names: str, values: str, source: str) -> dict[tuple[Any, ...], tuple[Any, ...]]:
        """Rows of the database: some columns by others."""
        found = await self.look.fetch(f"SELECT {names}, {values} FROM {source}")  # noqa: S608 - our own names
        width = names.count(",") + 1
        return {tuple(row)[:width]: tuple(row)[width:] for row in found}

    def claims(self) -> Iterator[tuple[Unit, tuple[Any, ...]]]:
        """The claims of the model, as rows."""
        for unit, claim in self.model.claims.items():
            if claim.hold is None:
                yield unit, (claim.status, None, None)
            else:
                deadline = self.moment(claim.hold.deadline) if claim.status == "LOCKED" else None
                yield unit, (claim.status, claim.hold.id, deadline)

    def counts(self) -> Iterator[tuple[PoolKey, tuple[Any, ...]]]:
        """The pools of the model, as rows."""
        for place, pool in self.model.pools.items():
            classes = self.model.class_counts(place).values()
            by_class = [held for held, _ in classes], [sold for _, sold in classes]
            limits = pool.authorised, pool.overbooking, list(pool.limits.values())
            yield place, (*self.model.counts(place), *limits, *by_class)

    def state(self, hold: ModelHold) -> tuple[Any, ...]:
        """A hold of the model, as a row."""
        before = None if hold.before_payment is None else self.moment(hold.before_payment)
        times = self.moment(hold.deadline), self.moment(hold.cap)
        return (hold.status, *times, hold.extensions, hold.booked, before)

    async def compare_seats(self) -> None:
        """What shoppers see; a seat that changes gets a later version, and none ever an earlier one."""
        for slot in self.slots:
            for seat in await states(self.look, self.plans, slot):
                unit, status = (slot, seat.number), str(seat.status)
                same((unit, status), (unit, self.model.seat(unit)))
                version, before = self.versions.get(unit, (0, "AVAILABLE"))
                assert seat.version >= version
                assert seat.version > version or status in (before, "AVAILABLE")
                self.versions[unit] = seat.version, status


def same(found: object, expected: object) -> None:
    """Raises AssertionError where they differ, with both."""
    assert found == expected, f"\nfound    {found}\nexpected {expected}"


def named(hold: ModelHold) -> UUID:
    """The database's name for a hold of the model."""
    assert hold.id is not None
    return hold.id


def grouped(units: Sequence[Unit]) -> list[Want]:
    """Seats by slot, as services take them."""
    slots = sorted({slot for slot, _ in units})
    return [want(slot, *(number for one, number in units if one == slot)) for slot in slots]


async def nothing(step: Awaitable[object]) -> None:
    """A step whose answer is not compared."""
    await step


def walk(database_url: str, schedule: Schedule, bounds: settings) -> None:
    """Take many walks; raises AssertionError where the two sides part.

    What a process may keep is kept between them: connections, plans, and a gate's view of seats.
    """
    with asyncio.Runner() as runner:
        database = Database(asyncpg_url(database_url), pool_size=2)
        plans = Plans()
        placers = Placer(database, plans), Placer(database, plans, Gates([LocalGate()]))
        look = runner.run(asyncpg.connect(database_url))
        world = {"database": database, "look": look, "runner": runner, "plans": plans, "placers": placers}
        machine: type[RuleBasedStateMachine] = type(
            "Shoppers", (Shoppers,), {**world, "slots": (schedule.first, schedule.second)}
        )
        try:
            run_state_machine_as_test(machine, settings=bounds)
        finally:
            runner.run(look.close())
            for placer in placers:
                runner.run(placer.aclose())
            runner.run(database.close())


def bounds(examples: int, steps: int, **others: Any) -> settings:
    """How many walks of how many steps."""
    return settings(
        max_examples=examples,
        stateful_step_count=steps,
        deadline=None,
        suppress_health_check=[HealthCheck.too_slow, HealthCheck.filter_too_much, HealthCheck.data_too_large],
        **others,
    )
