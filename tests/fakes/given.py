"""Servers that somebody else runs, for trying the suite against other versions than the embedded ones."""

from __future__ import annotations

from dataclasses import dataclass
from urllib.parse import urlsplit, urlunsplit

import asyncpg


@dataclass(frozen=True)
class GivenPostgres:
    """A PostgreSQL whose superuser `address` signs in as; each test process has its own template there."""

    address: str
    worker: str

    def url(self, database: str | None = None) -> str:
        """The address of a database of it, by default of this process's template."""
        return urlunsplit(urlsplit(self.address)._replace(path=f"/{database or f'jetway_{self.worker}'}"))

    async def prepare(self) -> None:
        """Make this process's template anew."""
        admin = await asyncpg.connect(self.url("postgres"))
        try:
            await admin.execute(f"DROP DATABASE IF EXISTS jetway_{self.worker} WITH (FORCE)")
            await admin.execute(f"CREATE DATABASE jetway_{self.worker}")
        finally:
            await admin.close()


@dataclass(frozen=True)
class GivenValkey:
    """A Redis or Valkey at that address."""

    url: str
