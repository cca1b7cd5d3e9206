"""What must always hold, asked of the running server's database: `make invariants`.

The database is that of DATABASE_URL, or the embedded one in JETWAY_HOME. Exits with 1 where an invariant is broken, and
with 2 where the database cannot be asked.
"""

from __future__ import annotations

import asyncio
import os
import sys

from core.db import Database
from core.errors import Unavailable
from core.settings import asyncpg_url, home
from services import invariants


async def main() -> int:
    """Print each invariant with what it counted; the exit code."""
    embedded = f"postgresql://jetway@/jetway?host={home() / 'postgres'}"
    database = Database(asyncpg_url(os.environ.get("DATABASE_URL", "").strip() or embedded), pool_size=1)
    try:
        findings = await invariants.check(database)
    except Unavailable as away:
        print(away, file=sys.stderr)
        return 2
    finally:
        await database.close()
    for finding in findings:
        print(f"{'BROKEN' if finding.broken else 'holds ':6}  {finding.name} ({finding.counted})")
        for line in finding.broken:
            print(f"          {line}")
    return 1 if any(finding.broken for finding in findings) else 0


if __name__ == "__main__":
    sys.exit(asyncio.run(main()))
