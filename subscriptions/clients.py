"""Which API clients there are, as this process knows it: whoever sends a key is known without a look at the database.

Every half second PostgreSQL is asked for one number, which counts changes; where it is another, the clients are read
again. So a process learns of a change within a second, whether or not Valkey and the worker are there. While
PostgreSQL is away, it goes on with what it knows: nobody can have changed anything.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping

from core.db import Database
from core.errors import Unavailable
from core.log import logger
from services import clients
from services.clients import KnownClient
from services.documents import Registry

SECONDS = 0.5

log = logger("clients")


class Clients:
    """The clients by their keys. `changed` is called after each change, with the names of those that are retired."""

    def __init__(self, database: Database, changed: Callable[[frozenset[str]], None]) -> None:
        self.are_known = asyncio.Event()
        self._database = database
        self._registry = Registry(database)
        self._changed = changed
        self._version: int | None = None
        self._by_digest: Mapping[bytes, KnownClient] = {}
        self._retired: frozenset[str] = frozenset()

    def find(self, key: str) -> KnownClient | None:
        """The client with that key, also one that was retired. Raises Unavailable while none are known yet."""
        if not self.are_known.is_set():
            raise Unavailable("API keys cannot be looked up yet.")
        return self._by_digest.get(clients.digest_of(key)) if len(key) <= clients.LONGEST_KEY else None

    def has_retired(self, name: str) -> bool:
        """Whether the client of that name is known to be retired."""
        return name in self._retired

    async def follow(self) -> float:
        """Look whether anything has changed; in how many seconds to look again: see `core.loops.forever`."""
        try:
            version = await self._registry.version()
            if version != self._version:
                await self._read()
                self._version = version
        except Unavailable as error:
            log.warning("clients_unknown", error=error.message)
        return SECONDS

    async def _read(self) -> None:
        async with self._database.reading(primary=True) as session:
            self._by_digest = await clients.known(session)
        self._retired = frozenset(one.name for one in self._by_digest.values() if one.is_retired)
        self.are_known.set()
        self._changed(self._retired)
