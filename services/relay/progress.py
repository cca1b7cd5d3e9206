"""How far the relay is behind, and what may go because everybody was told."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta

from prometheus_client import Gauge
from sqlalchemy import text

from core.db import ReadSession, Session
from services.facts import PASSING

RETENTION = timedelta(days=7)

WAITING = Gauge("jetway_relay_waiting_facts", "Facts not told yet; of those without a position 10000 count.", ["sink"])
LAG = Gauge("jetway_relay_lag_seconds", "Age of the oldest fact not told yet.", ["sink"])


@dataclass(frozen=True)
class Lag:
    """How far a sink is behind: facts that it was not told yet, and the age of the oldest of them in seconds."""

    sink: str
    facts: int
    seconds: float


BEHIND = text(
    """
    WITH fresh AS (
        SELECT count(*) AS facts, min(recorded_at) AS oldest
        FROM (SELECT recorded_at FROM facts WHERE position IS NULL ORDER BY id LIMIT 10000) AS unpositioned
    )
    SELECT sink, relay_heads.position - relay_cursors.position + fresh.facts AS facts,
           coalesce(extract(epoch FROM clock_timestamp() - coalesce(
               (SELECT recorded_at FROM facts WHERE facts.position > relay_cursors.position
                ORDER BY facts.position LIMIT 1), fresh.oldest)), 0) AS seconds
    FROM relay_cursors, relay_heads, fresh ORDER BY sink
    """
)


async def lag(session: ReadSession) -> list[Lag]:
    """How far each sink is behind; also sets the gauges."""
    behind = [Lag(row.sink, row.facts, float(row.seconds)) for row in await session.execute(BEHIND)]
    for one in behind:
        WAITING.labels(one.sink).set(one.facts)
        LAG.labels(one.sink).set(one.seconds)
    return behind


@dataclass(frozen=True)
class Pruned:
    """One window of the facts was looked at: up to which id, and how many of it were removed."""

    reached: int
    removed: int


LOOK = text(
    """
    SELECT coalesce(max(id), 0) AS reached,
           coalesce(array_agg(id) FILTER (WHERE kind = ANY (:passing)), '{}') AS ids,
           max(position) FILTER (WHERE kind = ANY (:passing)) AS pruned_to
    FROM (SELECT * FROM facts WHERE id > :above ORDER BY id LIMIT :size) AS slice
    WHERE recorded_at < clock_timestamp() - CAST(:retention AS interval)
      AND position <= (SELECT min(position) FROM relay_cursors)
    """
)


async def prune(session: Session, above: int, *, retention: timedelta = RETENTION, size: int = 5_000) -> Pruned:
    """Look at the next `size` facts above the id `above`, and remove those that only live streams needed.

    Those whose kind is passing (`services/facts`) go `retention` after they were recorded, once every sink has heard
    them. All others stay, because bookings are rebuilt from them. `relay_heads.pruned_to` says up to which position the
    history has holes; a cursor below it is answered with a snapshot. `reached` is 0 at the end of what is old enough.
    """
    bounds = {"above": above, "size": size, "retention": retention, "passing": list(PASSING)}
    window = (await session.execute(LOOK, bounds)).one()
    if window.ids:
        await session.execute(text("DELETE FROM facts WHERE id = ANY (:ids)"), {"ids": window.ids})
        # Last, because the relay waits for this row.
        await session.execute(
            text("UPDATE relay_heads SET pruned_to = greatest(pruned_to, :to) WHERE id = 1"), {"to": window.pruned_to}
        )
    return Pruned(window.reached, len(window.ids))
