"""Seal anew, with the newest of JETWAY_SECRETS, every travel document that an older one has sealed.

    python -m scripts.reseal

Run it after a rotation, before the older secret is dropped: what only that opens cannot be read without it. The
database is that of DATABASE_URL, or the embedded one in JETWAY_HOME. It may run while Jetway does, and again.
"""

from __future__ import annotations

import asyncio
import os

from core.db import Database
from core.keys import Keyring
from core.settings import asyncpg_url, home, read_secrets, required
from services import travellers

BATCH = 500


async def reseal(database: Database, keyring: Keyring) -> int:
    """Seal all of them, a batch in each transaction; how many were."""
    total = 0
    while True:
        async with database.transaction() as session:
            done = await travellers.reseal(session, keyring, BATCH)
        total += done
        if not done:
            return total


async def main() -> None:
    """Do it, and say how many."""
    keyring = Keyring(read_secrets(required(os.environ, "JETWAY_SECRETS")))
    embedded = f"postgresql://jetway@/jetway?host={home() / 'postgres'}"
    database = Database(asyncpg_url(os.environ.get("DATABASE_URL", "").strip() or embedded), pool_size=1)
    try:
        print(f"{await reseal(database, keyring)} documents are sealed with the newest secret now.")
    finally:
        await database.close()


if __name__ == "__main__":
    asyncio.run(main())
