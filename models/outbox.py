"""Facts: what happened, written in the transaction that made it so, and told to everybody afterwards."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from sqlalchemy import CheckConstraint, Identity, Index, text
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.orm import Mapped, mapped_column

from models.base import Base, Code, Key, Moment


class Fact(Base):
    """Something that happened. `kind` is past tense (`seat.locked`); `stream` names the thing it happened to.

    `id` is drawn while that thing's row is locked, so facts of one stream are in order. `position` is the relay's:
    gapless over all facts, given after the commit; null until then.
    """

    __tablename__ = "facts"
    __table_args__ = (
        Index("ix_facts_unpositioned", "id", postgresql_where=text("position IS NULL")),
        Index("ix_facts_position", "position", unique=True, postgresql_where=text("position IS NOT NULL")),
        Index(None, "stream", "position"),
    )

    id: Mapped[int] = mapped_column(Identity(cache=1), primary_key=True)
    kind: Mapped[Code]
    stream: Mapped[Code]
    payload: Mapped[dict[str, Any]] = mapped_column(JSONB)
    recorded_at: Mapped[Moment] = mapped_column(server_default=text("clock_timestamp()"))
    position: Mapped[int | None]


class RelayHead(Base):
    """The one row that says how far the relay has counted, and up to where old facts were removed."""

    __tablename__ = "relay_heads"
    __table_args__ = (CheckConstraint("id = 1", "one_row"),)

    id: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    position: Mapped[int] = mapped_column(server_default=text("0"))
    pruned_to: Mapped[int] = mapped_column(server_default=text("0"))


class RelayCursor(Base):
    """How far one sink of the relay has heard: every fact up to `position`. `valkey` is the one that viewers hear.

    Set back by hand, the sink hears everything after it once more. A sink that is given up loses its row, for facts are
    kept until every row has passed them.
    """

    __tablename__ = "relay_cursors"

    sink: Mapped[Code] = mapped_column(primary_key=True)
    position: Mapped[int]


class Transition(Base):
    """A change of status: of what, from where to where, who caused it and why. Append-only."""

    __tablename__ = "transitions"
    __table_args__ = (Index(None, "subject_id", "id"),)

    id: Mapped[Key]
    machine: Mapped[Code]
    subject_id: Mapped[Code]
    from_status: Mapped[str | None]
    to_status: Mapped[str]
    actor: Mapped[str]
    reason: Mapped[str]
    at: Mapped[Moment]


class IdempotencyKey(Base):
    """That a client asked for something once. `result_id` is the row that came of it; refusals leave none.

    `owner` is `user:<id>`, or `guest` whose keys are UUIDv4s that nobody can guess.
    """

    __tablename__ = "idempotency_keys"

    owner: Mapped[Code] = mapped_column(primary_key=True)
    operation: Mapped[Code] = mapped_column(primary_key=True)
    key: Mapped[Code] = mapped_column(primary_key=True)
    fingerprint: Mapped[bytes]
    result_id: Mapped[UUID]
    created_at: Mapped[Moment] = mapped_column(server_default=text("clock_timestamp()"))


class Heartbeat(Base):
    """When a background process last said that it lives."""

    __tablename__ = "heartbeats"

    name: Mapped[Code] = mapped_column(primary_key=True)
    beat_at: Mapped[Moment]
