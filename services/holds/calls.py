"""What PostgreSQL is asked for when a hold is placed, and what it answers: one statement for many requests."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from datetime import datetime
from itertools import accumulate, chain
from typing import Any, NamedTuple
from uuid import UUID

import asyncpg
import orjson

from services.holds.gates import Unit
from services.holds.requests import Request

TAKE = (
    "SELECT request, outcome, hold_id, created_at, expires_at, cap_at, details"
    " FROM take_holds($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16, $17, $18, $19, $20)"
)
"""`alembic/functions/take_holds_3.sql` says what each array means."""

LOOK = """
    SELECT wanted.slot_id, wanted.unit, NULL AS request
    FROM unnest($1::bigint[], $2::text[]) AS wanted (slot_id, unit)
    WHERE (
        SELECT NOT (claims.status = 'AVAILABLE' OR (claims.status = 'LOCKED' AND claims.expires_at <= jetway_now()))
        FROM claims WHERE claims.slot_id = wanted.slot_id AND claims.unit = wanted.unit)
    UNION ALL
    SELECT NULL, NULL, asked.request
    FROM unnest(string_to_array($3, E'\\n'), string_to_array($4, E'\\n'), string_to_array($5, E'\\n'))
        WITH ORDINALITY AS asked (owner, operation, key, request)
    WHERE (
        SELECT true FROM idempotency_keys AS known
        WHERE known.owner = asked.owner AND known.operation = asked.operation AND known.key = asked.key)
"""
"""One look, in one snapshot, at what stands in the way of many requests: each unit once.

Keys, which can be printed, come as lines of one text: to write an array of many strings takes asyncpg longer than
PostgreSQL needs to take the text apart.
"""


class Times(NamedTuple):
    """When a hold was placed, ends, and has to end at the latest."""

    created_at: datetime
    expires_at: datetime
    cap_at: datetime


class Answer(NamedTuple):
    """What PostgreSQL says to a request: `outcome` and `details` are those of `take_holds`.

    `hold_id` and `times` are those of a hold that was PLACED, `hold_id` also that of one that was REPLAYED; `taken` are
    the units of UNITS_TAKEN.
    """

    outcome: str
    hold_id: UUID | None = None
    times: Times | None = None
    taken: tuple[Unit, ...] = ()
    details: Any = None


def taking(requests: Sequence[Request]) -> list[Any]:
    """The arguments of TAKE."""
    asking = [request.asking for request in requests]
    slots = [(number, slot) for number, request in enumerate(requests, 1) for slot in request.slots]
    units = [(number, unit) for number, request in enumerate(requests, 1) for unit in request.units]
    items = [(number, item) for number, request in enumerate(requests, 1) for item in request.items]
    lasts = list(accumulate(len(item.units) for _, item in items))
    return [
        [request.hold_id for request in requests],
        [one.owner_id for one in asking],
        [one.key_owner for one in asking],
        [one.operation for one in asking],
        [one.key for one in asking],
        [request.fingerprint for request in requests],
        [one.minutes for one in asking],
        [number for number, _ in slots],
        [slot_id for _, (slot_id, _) in slots],
        [layout_id for _, (_, layout_id) in slots],
        [number for number, _ in units],
        [slot_id for _, (slot_id, _) in units],
        [unit for _, (_, unit) in units],
        [number for number, _ in items],
        [item.slot_id for _, item in items],
        [item.pool for _, item in items],
        [item.quantity for _, item in items],
        [last - len(item.units) + 1 for last, (_, item) in zip(lasts, items, strict=True)],
        lasts,
        [item.booking_class for _, item in items],
    ]


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
    return Answer(outcome, hold_id if outcome == "REPLAYED" else None, taken=units, details=details)


def looking(requests: Sequence[Request]) -> list[Any]:
    """The arguments of LOOK."""
    units = set(chain.from_iterable([request.units for request in requests]))
    return [
        [slot_id for slot_id, _ in units],
        [unit for _, unit in units],
        "\n".join([request.asking.key_owner for request in requests]),
        "\n".join([request.asking.operation for request in requests]),
        "\n".join([request.asking.key for request in requests]),
    ]


def seen(rows: Sequence[asyncpg.Record], requests: Sequence[Request]) -> list[Answer | None]:
    """The refusal for each of the requests whose units LOOK has seen taken; None for the others, and who asks again."""
    known = {row["request"] for row in rows}
    taken = {(row["slot_id"], row["unit"]) for row in rows}
    # Of a crowd many want the same.
    refusals = {units: refusal(units, taken) for units in {request.units for request in requests}}
    return [None if number in known else refusals[request.units] for number, request in enumerate(requests, 1)]


def refusal(units: Sequence[Unit], taken: Collection[Unit]) -> Answer | None:
    """The answer to a request for those units, where some of them are taken."""
    in_the_way = tuple([unit for unit in units if unit in taken])
    return Answer("UNITS_TAKEN", taken=in_the_way) if in_the_way else None
