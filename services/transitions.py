"""The only way in which a status changes: through its machine, with a line of history and a fact."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Any, Protocol, TypeVar
from uuid import UUID

from core import clock
from core.db import Session
from core.states import Machine
from models import Transition
from services import outbox


@dataclass(frozen=True, kw_only=True)
class Cause:
    """Who makes a change, and why: `actor` is `user:<id>`, `guest`, or the name of a part of Jetway."""

    actor: str
    reason: str


State = TypeVar("State", bound=StrEnum)


class HasStatus(Protocol[State]):
    """A row with a status."""

    status: State


async def begin(
    session: Session,
    machine: Machine[State],
    subject: UUID | int,
    stream: str,
    fact: str,
    payload: Mapping[str, Any],
    cause: Cause,
) -> State:
    """Write that `subject` came to be, in the machine's initial state, which is returned."""
    await write(session, machine.name, subject, None, machine.initial, stream, fact, payload, cause)
    return machine.initial


async def advance(
    session: Session,
    machine: Machine[State],
    row: HasStatus[State],
    subject: UUID | int,
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
    await write(session, machine.name, subject, came_from, to, stream, fact, payload, cause)


async def write(
    session: Session,
    machine: str,
    subject: UUID | int,
    came_from: StrEnum | None,
    to: StrEnum,
    stream: str,
    fact: str,
    payload: Mapping[str, Any],
    cause: Cause,
) -> None:
    """The line of history and the fact of one change."""
    session.add(
        Transition(
            machine=machine,
            subject_id=str(subject),
            from_status=came_from,
            to_status=to,
            actor=cause.actor,
            reason=cause.reason,
            at=clock.now(),
        )
    )
    await session.flush()
    facts = {"status": to, "from": came_from, "actor": cause.actor, "reason": cause.reason, **payload}
    await outbox.record(session, fact, stream, facts)
