"""The only way in which a status changes: through its machine, with a line of history and a fact."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Any, Protocol, TypeVar
from uuid import UUID

from core import clock
from core.ids import uuid7
from core.journal import Book
from core.rows import Scribe
from core.states import Machine
from models import Base
from services import outbox


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


HISTORY = Book(
    "history",
    """INSERT INTO transitions (id, machine, subject_id, from_status, to_status, actor, reason, at)
    SELECT id, machine, subject, came_from, became, actor, reason, moment
    FROM unnest({}::uuid[], {}::text[], {}::text[], {}::text[], {}::text[], {}::text[], {}::text[], {}::timestamptz[])
         AS change (id, machine, subject, came_from, became, actor, reason, moment)""",
)

State = TypeVar("State", bound=StrEnum)


class HasStatus(Protocol[State]):
    """A row with a status."""

    status: State


async def begin(
    scribe: Scribe,
    machine: Machine[State],
    subject: Subject,
    stream: str,
    fact: str,
    payload: Mapping[str, Any],
    cause: Cause,
) -> State:
    """Write that `subject` came to be, in the machine's initial state, which is returned."""
    await write(scribe, machine.name, [Change(subject, None, machine.initial, stream, fact, payload)], cause)
    return machine.initial


async def advance(
    scribe: Scribe,
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
        await scribe.save(row)
    await write(scribe, machine.name, [Change(subject, came_from, to, stream, fact, payload)], cause)


async def write(scribe: Scribe, machine: str, changes: Sequence[Change], cause: Cause) -> None:
    """The lines of history and the facts of changes that one cause made, in their order.

    What they are about is locked, or new and not known to anybody: its own row may be written later.
    """
    actor, reason, moment = cause.actor, cause.reason, clock.now()
    for change in changes:
        line = uuid7(), machine, str(change.subject), change.came_from, change.to, actor, reason, moment
        scribe.note(HISTORY, *line)
        told = {"status": change.to, "from": change.came_from, "actor": actor, "reason": reason, **change.payload}
        await outbox.record(scribe, change.fact, change.stream, told)
