"""What must always hold, asked of the database itself.

Each invariant counts what it looked at and names what breaks it. All of them read one snapshot (REPEATABLE READ), so
that a sale between two questions cannot look like a fault. Tests ask after every disaster, operators whenever they
like (`make invariants`).

`places.py`, `money.py` and `records.py` have them; `asked.py` says what one is.
"""

from __future__ import annotations

from sqlalchemy import text

from core.db import Database, ReadSession
from services.invariants.asked import Finding, Invariant
from services.invariants.money import OF_MONEY
from services.invariants.places import OF_PLACES
from services.invariants.records import OF_RECORDS

__all__ = ["INVARIANTS", "Finding", "Invariant", "ask", "check"]

INVARIANTS = (*OF_PLACES, *OF_MONEY, *OF_RECORDS)

MOST_NAMED = 10
"""How many broken things an invariant names."""


async def check(db: Database) -> list[Finding]:
    """Ask every invariant of one snapshot, in order."""
    async with db.reading(primary=True) as session:
        await session.connection(execution_options={"isolation_level": "REPEATABLE READ"})
        return await ask(session)


async def ask(session: ReadSession) -> list[Finding]:
    """Ask every invariant of what the session's transaction sees, in order."""
    findings = []
    for invariant in INVARIANTS:
        counted: int = (await session.execute(text(invariant.counted))).scalar_one()
        broken = await session.scalars(text(f"{invariant.broken} LIMIT {MOST_NAMED}"))
        findings.append(Finding(invariant.name, counted, list(broken)))
    return findings
