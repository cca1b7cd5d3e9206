"""What live streams stand on: facts with their position, how far the relay has counted, and what a client has missed.

A position is the relay's: gapless over all facts, and later for the later of two facts about the same thing. A fact has
one only after its transaction was committed, so whoever reads the head first and the tables then sees, in the tables,
everything up to that head.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

import orjson
from sqlalchemy import or_, select

from core.db import ReadSession
from core.errors import Invalid
from core.keys import decode, encode
from models import Fact, RelayHead

MOST_MISSED = 1_000
"""Whoever missed more than that is better off with a snapshot."""


POSITION = re.compile(rb"p(0|[1-9][0-9]{0,17})")


def cursor(position: int) -> str:
    """The cursor of a client that knows everything up to `position`: opaque to clients, checked when it comes back."""
    return encode(b"p%d" % position)


def position_of(cursor: str) -> int:
    """The inverse of `cursor`; raises Invalid (INVALID_CURSOR, field `after`) for anything that it did not make."""
    match = POSITION.fullmatch(decode(cursor) or b"")
    if match is None:
        raise Invalid("This is no cursor of an event.", field="after", code="INVALID_CURSOR")
    return int(match[1])


PLACE = re.compile(rb"w(0|[1-9][0-9]{0,17})\.(0|[1-9][0-9]{0,9})")


def moving_cursor(position: int, at: datetime) -> str:
    """The cursor of a client that knows everything up to `position` of what was in sight at a moment, to the second."""
    return encode(b"w%d.%d" % (position, int(at.timestamp())))


def place_of(cursor: str) -> tuple[int, datetime]:
    """The inverse of `moving_cursor`, in UTC; raises Invalid (INVALID_CURSOR, field `after`) for anything else."""
    match = PLACE.fullmatch(decode(cursor) or b"")
    if match is None:
        raise Invalid("This is no cursor of an event.", field="after", code="INVALID_CURSOR")
    return int(match[1]), datetime.fromtimestamp(int(match[2]), UTC)


STATE = re.compile(rb"s([0-9a-f]{32})\.(0|[1-9][0-9]{0,9})")


def state_cursor(digest: bytes, until: datetime) -> str:
    """The cursor of a client that knows a state, by 16 bytes of its digest, which is good until a moment."""
    return encode(b"s%s.%d" % (digest.hex().encode(), int(until.timestamp())))


def state_of(cursor: str) -> tuple[bytes, datetime]:
    """The inverse of `state_cursor`, in UTC; raises Invalid (INVALID_CURSOR, field `after`) for anything else."""
    match = STATE.fullmatch(decode(cursor) or b"")
    if match is None:
        raise Invalid("This is no cursor of an event.", field="after", code="INVALID_CURSOR")
    return bytes.fromhex(match[1].decode()), datetime.fromtimestamp(int(match[2]), UTC)


@dataclass(frozen=True, slots=True)
class PlacedFact:
    """A fact in its place: `position` counts all facts, `stream` names what it happened to."""

    position: int
    id: int
    kind: str
    stream: str
    payload: dict[str, Any]


def to_wire(position: int, id: int, kind: str, stream: str, payload: str) -> bytes:
    """The JSON in which a fact is published. `payload` is JSON text already."""
    head = orjson.dumps({"position": position, "id": id, "kind": kind, "stream": stream})
    return b'%s,"payload":%s}' % (head[:-1], payload.encode())


def from_wire(message: str | bytes) -> PlacedFact:
    """The inverse of `to_wire`; raises ValueError, KeyError or TypeError for anything else."""
    fact = orjson.loads(message)
    return PlacedFact(fact["position"], fact["id"], fact["kind"], fact["stream"], fact["payload"])


HEAD = "SELECT position FROM relay_heads"
"""How far the relay has counted, in SQL: for a snapshot that has its cursor with it."""


async def head(session: ReadSession) -> int:
    """How far the relay has counted. Read it before the snapshot that it is to be the cursor of."""
    return (await session.execute(select(RelayHead.position))).scalar_one()


async def missed(session: ReadSession, streams: Sequence[str], after: int) -> list[PlacedFact] | None:
    """The facts of `streams` with a position greater than `after`, in order.

    None where they can't be told: more than MOST_MISSED, removed already, or `after` was never reached. The session
    reads the primary, in READ COMMITTED: the head is read last, so facts removed meanwhile are noticed.
    """
    rows = await session.execute(
        select(Fact.position, Fact.id, Fact.kind, Fact.stream, Fact.payload)
        .where(Fact.stream.in_(streams), Fact.position > after)
        .order_by(Fact.position)
        .limit(MOST_MISSED + 1)
    )
    facts = [PlacedFact(row.position, row.id, row.kind, row.stream, row.payload) for row in rows]
    known = (await session.execute(select(RelayHead.position, RelayHead.pruned_to))).one()
    if len(facts) > MOST_MISSED or not known.pruned_to <= after <= known.position:
        return None
    return facts


@dataclass(frozen=True, slots=True)
class History:
    """What happened to something: every fact with a position above `floor`, in order."""

    floor: int
    facts: list[PlacedFact]


async def history(session: ReadSession, streams: str | Sequence[str], after: int, kinds: str = "") -> History:
    """What happened to it, or to them, after a position, of kinds that begin so; only what is known of that, where some
    was removed already or it is more than MOST_MISSED.

    The session reads the primary, in READ COMMITTED: what was removed meanwhile is noticed.
    """
    wanted = (streams,) if isinstance(streams, str) else streams
    rows = await session.execute(
        select(Fact.position, Fact.id, Fact.kind, Fact.stream, Fact.payload)
        .where(Fact.stream.in_(wanted), Fact.position > after, Fact.kind.startswith(kinds, autoescape=True))
        .order_by(Fact.position.desc())
        .limit(MOST_MISSED + 1)
    )
    facts = [PlacedFact(row.position, row.id, row.kind, row.stream, row.payload) for row in rows]
    floor = max(after, (await session.execute(select(RelayHead.pruned_to))).scalar_one())
    if len(facts) > MOST_MISSED:
        floor = max(floor, facts[-1].position)
    return History(floor, [fact for fact in reversed(facts) if fact.position > floor])


async def unplaced(session: ReadSession, stream: str, head: int) -> list[PlacedFact]:
    """What happened to it that had no position up to `head`; a fact that has none at all stands at 0.

    Read after a snapshot that was read after `head`, it names everything that the snapshot may show too early.
    """
    rows = await session.execute(
        select(Fact.position, Fact.id, Fact.kind, Fact.stream, Fact.payload)
        .where(Fact.stream == stream, or_(Fact.position > head, Fact.position.is_(None)))
        .order_by(Fact.id)
    )
    return [PlacedFact(row.position or 0, row.id, row.kind, row.stream, row.payload) for row in rows]
