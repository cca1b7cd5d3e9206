"""What PostgreSQL is asked for when a hold is placed, and what it answers: one statement for many requests."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import cached_property
from typing import Any
from uuid import UUID

import asyncpg
import orjson

from services.holds.gates import Entry, Unit

TAKE = (
    "SELECT request, outcome, hold_id, created_at, expires_at, cap_at, details"
    " FROM take_holds($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16, $17, $18, $19, $20)"
)
"""`alembic/functions/take_holds_2.sql` says what each array means."""

LOOK = """
    SELECT wanted.request, wanted.slot_id, wanted.unit, false AS known
    FROM unnest($1::int[], $2::bigint[], $3::text[]) AS wanted (request, slot_id, unit)
    WHERE (
        SELECT NOT (claims.status = 'AVAILABLE' OR (claims.status = 'LOCKED' AND claims.expires_at <= jetway_now()))
        FROM claims WHERE claims.slot_id = wanted.slot_id AND claims.unit = wanted.unit)
    UNION ALL
    SELECT asked.request, NULL, NULL, true
    FROM unnest($4::text[], $5::text[], $6::text[]) WITH ORDINALITY AS asked (owner, operation, key, request)
    WHERE (
        SELECT true FROM idempotency_keys AS known
        WHERE known.owner = asked.owner AND known.operation = asked.operation AND known.key = asked.key)
"""
"""One look, in one snapshot, at what stands in the way of many requests."""


@dataclass(frozen=True, slots=True)
class Item:
    """What is kept of one pool of one slot: how many, and which units where they were chosen, as a hold shows them."""

    slot_id: int
    pool: str
    quantity: int
    units: tuple[str, ...]
    booking_class: str | None


@dataclass(frozen=True)
class Request:
    """A hold that somebody asks for, checked and counted.

    `hold_id` is new for each attempt. `slots` are the slots, each with the layout that its units were looked up in;
    None where no unit of it is wanted.
    """

    hold_id: UUID
    owner_id: UUID | None
    key_owner: str
    operation: str
    key: str
    fingerprint: bytes
    minutes: int
    slots: tuple[tuple[int, int | None], ...]
    items: tuple[Item, ...]

    @cached_property
    def entry(self) -> Entry:
        """The attempt, as gates know it."""
        return Entry(self.hold_id, self.units)

    @cached_property
    def units(self) -> tuple[Unit, ...]:
        """The units that are wanted, in the order of the items."""
        return tuple((item.slot_id, unit) for item in self.items for unit in item.units)


@dataclass(frozen=True, slots=True)
class Times:
    """When a hold was placed, ends, and has to end at the latest."""

    created_at: datetime
    expires_at: datetime
    cap_at: datetime


@dataclass(frozen=True, slots=True)
class Answer:
    """What PostgreSQL says to a request: `outcome` and `details` are those of `take_holds`.

    `times` are those of a hold that was PLACED, `taken` the units of UNITS_TAKEN.
    """

    outcome: str
    hold_id: UUID
    times: Times | None = None
    taken: tuple[Unit, ...] = ()
    details: Any = None


@dataclass(slots=True)
class Seen:
    """What a look saw: whether the request's key is known, and which of its units are somebody's."""

    known: bool
    taken: tuple[Unit, ...]


def taking(requests: Sequence[Request]) -> list[Any]:
    """The arguments of TAKE."""
    slots = [(number, slot) for number, request in enumerate(requests, 1) for slot in request.slots]
    items = [(number, item) for number, request in enumerate(requests, 1) for item in request.items]
    lasts, last = [], 0
    for _, item in items:
        last += len(item.units)
        lasts.append(last)
    return [
        [request.hold_id for request in requests],
        [request.owner_id for request in requests],
        [request.key_owner for request in requests],
        [request.operation for request in requests],
        [request.key for request in requests],
        [request.fingerprint for request in requests],
        [request.minutes for request in requests],
        [number for number, _ in slots],
        [slot_id for _, (slot_id, _) in slots],
        [layout_id for _, (_, layout_id) in slots],
        *unit_arrays(requests),
        [number for number, _ in items],
        [item.slot_id for _, item in items],
        [item.pool for _, item in items],
        [item.quantity for _, item in items],
        [last - len(item.units) + 1 for last, (_, item) in zip(lasts, items, strict=True)],
        lasts,
        [item.booking_class for _, item in items],
    ]


def unit_arrays(requests: Sequence[Request]) -> tuple[list[int], list[int], list[str]]:
    """Number of the request, slot and unit of each wanted unit."""
    units = [
        (number, item.slot_id, unit)
        for number, request in enumerate(requests, 1)
        for item in request.items
        for unit in item.units
    ]
    return [number for number, _, _ in units], [slot_id for _, slot_id, _ in units], [unit for _, _, unit in units]


def taken(rows: Sequence[asyncpg.Record]) -> list[Answer]:
    """The answers of TAKE, in the order of the requests."""
    return [
        Answer("PLACED", hold_id, Times(created_at, expires_at, cap_at))
        if outcome == "PLACED"
        else other(outcome, hold_id, details)
        for _, outcome, hold_id, created_at, expires_at, cap_at, details in rows
    ]


def other(outcome: str, hold_id: UUID, text: str | None) -> Answer:
    """An answer that is not PLACED."""
    details: Any = None if text is None else orjson.loads(text)
    units = tuple((one["slot"], one["unit"]) for one in details) if outcome == "UNITS_TAKEN" else ()
    return Answer(outcome, hold_id, taken=units, details=details)


def looking(requests: Sequence[Request]) -> list[Any]:
    """The arguments of LOOK."""
    return [
        *unit_arrays(requests),
        [request.key_owner for request in requests],
        [request.operation for request in requests],
        [request.key for request in requests],
    ]


def seen(rows: Sequence[asyncpg.Record], count: int) -> list[Seen]:
    """What LOOK saw, for each of `count` requests in their order."""
    looks = [Seen(known=False, taken=()) for _ in range(count)]
    for request, slot_id, unit, known in rows:
        look = looks[request - 1]
        if known:
            look.known = True
        else:
            look.taken += ((slot_id, unit),)
    return looks


def refusal(request: Request, units: tuple[Unit, ...]) -> Answer:
    """The answer to a request whose units a look has seen taken."""
    return Answer("UNITS_TAKEN", request.hold_id, taken=tuple(unit for unit in request.units if unit in units))
