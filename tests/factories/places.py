"""Pools for tests: their limits set, and all that they count."""

from __future__ import annotations

from typing import Any

from sqlalchemy import text

from core.db import Database


async def set_pool(database: Database, slot_id: int, code: str, **columns: Any) -> None:
    """Set columns of a pool, as an operator's script might."""
    changes = ", ".join(f"{name} = :{name}" for name in columns)
    async with database.transaction() as session:
        await session.execute(
            text(f"UPDATE pools SET {changes} WHERE slot_id = :slot_id AND code = :code"),  # noqa: S608 - our own names
            {**columns, "slot_id": slot_id, "code": code},
        )


async def counts(database: Database, slot_id: int, code: str = "ECONOMY") -> tuple[int, int, int]:
    """How many a pool counts as held, sold and blocked."""
    async with database.reading() as session:
        found = await session.execute(
            text("SELECT held, sold, blocked FROM pools WHERE slot_id = :id AND code = :code"),
            {"id": slot_id, "code": code},
        )
        return tuple(found.one())


async def classes(database: Database, slot_id: int, code: str = "ECONOMY") -> dict[str, tuple[int, int]]:
    """How many each booking class of a pool counts as held and as sold, the highest first."""
    async with database.reading() as session:
        found = await session.execute(
            text(
                "SELECT here.code, here.held, here.sold FROM pools,"
                " unnest(classes, class_held, class_sold) WITH ORDINALITY AS here (code, held, sold, place)"
                " WHERE slot_id = :id AND pools.code = :code ORDER BY here.place"
            ),
            {"id": slot_id, "code": code},
        )
        return {row.code: (row.held, row.sold) for row in found}
