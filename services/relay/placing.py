"""Positions: each committed fact gets the next one, once.

Given in the order of ids to what is visible and has none, never above a highest id: ids are drawn before commits, and
commits overtake each other. Facts about one thing draw their ids while that thing's row is locked: they are in order.
"""

from __future__ import annotations

import asyncpg

BATCH = 500

PLACE = f"""
WITH fresh AS (
    SELECT id, row_number() OVER (ORDER BY id) AS ordinal
    FROM (SELECT id FROM facts WHERE position IS NULL ORDER BY id LIMIT {BATCH}) AS unpositioned
), head AS (
    UPDATE relay_heads SET position = position + (SELECT count(*) FROM fresh)
    WHERE id = 1 AND EXISTS (SELECT FROM fresh)
    RETURNING position - (SELECT count(*) FROM fresh) AS base
), placed AS (
    UPDATE facts SET position = head.base + fresh.ordinal FROM fresh, head WHERE facts.id = fresh.id
)
SELECT count(*) FROM fresh
"""  # noqa: S608 - a number of our own


async def place(connection: asyncpg.Connection) -> int:
    """Give at most BATCH facts their positions; how many got one. The connection is the one that leads."""
    # Not `execute`: a statement without arguments would be parsed and planned each time, most of the work here.
    return int(await connection.fetchval(PLACE))
