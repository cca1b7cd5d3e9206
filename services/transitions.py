"""The only way in which a status changes: through its machine, with a line of history and a fact."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Any, Protocol, TypeVar
from uuid import UUID

from sqlalchemy import insert

from core import clock
from core.db import Session
from core.ids import uuid7
from core.states import Machine
from models import Fact, Transition


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
    """Move `row` to `to`, with its history and its fact. The caller has locked the row.

    Raises WrongState where the machine does not allow it; nothing has changed then.
    """
    machine.check(row.status, to)
    came_from = row.status
    row.status = to
    await write(session, machine.name, [Change(subject, came_from, to, stream, fact, payload)], cause)


async def write(session: Session, machine: str, changes: Sequence[Change], cause: Cause) -> None:
    """The lines of history and the facts of changes that one cause made; two statements, however many they are."""
    if not changes:
        return
    at = clock.now()
    history = [
        {
            "id": uuid7(),
            "machine": machine,
            "subject_id": str(change.subject),
            "from_status": change.came_from,
            "to_status": change.to,
            "actor": cause.actor,
            "reason": cause.reason,
            "at": at,
        }
        for change in changes
    ]
    facts = [
        {
            "kind": change.fact,
            "stream": change.stream,
            "payload": {
                "status": change.to,
                "from": change.came_from,
                "actor": cause.actor,
                "reason": cause.reason,
                **change.payload,
            },
        }
        for change in changes
    ]
    await session.execute(insert(Transition), history)
    await session.execute(insert(Fact), facts)
