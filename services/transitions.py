"""The only way in which a status changes: through its machine, with a line of history and a fact."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Any, Protocol, TypeVar
from uuid import UUID

from core import clock
from core.db import Session, dump_json
from core.ids import uuid7
from core.rows import Writer
from core.states import Machine
from models import Base


@dataclass(frozen=True, kw_only=True)
class Cause:
    """Who makes a change, and why: `actor` is `user:<id>`, `guest`, or the name of a part of Jetway."""

    actor: str
    reason: str


Subject = UUID | int | str
"""The key of what changes."""


@dataclass(frozen=True)
class Change:
    """One change of status, and the fact that says so; `came_from` is None for what has come to be."""

    subject: Subject
    came_from: StrEnum | None
    to: StrEnum
    stream: str
    fact: str
    payload: Mapping[str, Any]


WRITE = """
    WITH history AS (
        INSERT INTO transitions (id, machine, subject_id, from_status, to_status, actor, reason, at)
        SELECT id, $1, subject, came_from, became, $2, $3, $4
        FROM unnest($5::uuid[], $6::text[], $7::text[], $8::text[]) AS change (id, subject, came_from, became))
    INSERT INTO facts (kind, stream, payload)
    SELECT kind, stream, payload
    FROM unnest($9::text[], $10::text[], $11::jsonb[]) WITH ORDINALITY AS told (stream, kind, payload, place)
    ORDER BY place
"""

State = TypeVar("State", bound=StrEnum)


class HasStatus(Protocol[State]):
    """A row with a status."""

    status: State


async def begin(
    session: Session,
    machine: Machine[State],
    subject: Subject,
    stream: str,
    fact: str,
    payload: Mapping[str, Any],
    cause: Cause,
) -> State:
    """Write that `subject` came to be, in the machine's initial state, which is returned."""
    await write(session, machine.name, [Change(subject, None, machine.initial, stream, fact, payload)], cause)
    return machine.initial


async def advance(
    session: Session,
    machine: Machine[State],
    row: HasStatus[State],
    subject: Subject,
    to: State,
    stream: str,
    fact: str,
    payload: Mapping[str, Any],
    cause: Cause,
) -> None:
    """Move `row` to `to`, with its history, its fact, and all else that was changed of it. The caller has locked it.

    Raises WrongState where the machine does not allow it; nothing has changed then.
    """
    machine.check(row.status, to)
    came_from = row.status
    row.status = to
    if isinstance(row, Base):
        await session.save(row)
    await write(session, machine.name, [Change(subject, came_from, to, stream, fact, payload)], cause)


async def write(writer: Writer, machine: str, changes: Sequence[Change], cause: Cause) -> None:
    """The lines of history and the facts of changes that one cause made, in their order; one statement for all.

    What they are about is locked, or new and not known to anybody: its own row may be written later.
    """
    if not changes:
        return
    actor, reason = cause.actor, cause.reason
    payloads = [
        dump_json({"status": change.to, "from": change.came_from, "actor": actor, "reason": reason, **change.payload})
        for change in changes
    ]
    await writer.fetch(
        WRITE,
        machine,
        actor,
        reason,
        clock.now(),
        [uuid7() for _ in changes],
        [str(change.subject) for change in changes],
        [change.came_from for change in changes],
        [change.to for change in changes],
        [change.stream for change in changes],
        [change.fact for change in changes],
        payloads,
    )
