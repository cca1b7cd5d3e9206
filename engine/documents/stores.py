"""Where persisted documents are kept under their hashes: in this process, or in Valkey for all processes."""

from __future__ import annotations

from collections.abc import Awaitable
from typing import Any, Protocol

from engine.documents.kept import Kept

DAY = 24 * 60 * 60


class Store(Protocol):
    """Keeps texts under their SHA-256 in hex. It may forget, and may be away: then it finds nothing."""

    async def get(self, sha256: str) -> str | None:
        """The text; None where it is not kept."""

    async def put(self, sha256: str, text: str) -> None:
        """Keep a text, which is a valid document."""


class MemoryStore:
    """A store in this process."""

    def __init__(self, most: int = 2_000, weight: int = 32 * 2**20) -> None:
        self.texts: Kept[str, str] = Kept(most, weight)

    async def get(self, sha256: str) -> str | None:
        """The text; None where it is not kept."""
        return self.texts.get(sha256)

    async def put(self, sha256: str, text: str) -> None:
        """Keep a text."""
        self.texts.put(sha256, text, len(text))


class Valkey(Protocol):
    """The two commands that are needed of a client of Valkey or Redis (redis-py has them)."""

    def get(self, name: str) -> Awaitable[Any]:
        """GET."""

    def eval(self, script: str, numkeys: int, *keys_and_args: Any) -> Awaitable[Any]:
        """EVAL."""


PUT = """
redis.call('SET', KEYS[1], ARGV[1], 'EX', ARGV[2])
local now = redis.call('TIME')
redis.call('ZADD', KEYS[2], now[1] + now[2] / 1000000, KEYS[1])
redis.call('EXPIRE', KEYS[2], ARGV[2])
local beyond = redis.call('ZCARD', KEYS[2]) - tonumber(ARGV[3])
if beyond > 0 then
  local oldest = redis.call('ZPOPMIN', KEYS[2], beyond)
  for i = 1, #oldest, 2 do redis.call('UNLINK', oldest[i]) end
end
"""
"""Keep a text, and let the oldest go where there are more than so many. The keys share a hash tag, for clusters."""


class ValkeyStore:
    """A store that processes share. It keeps `most` texts, each for `seconds` since it was put there last.

    Where Valkey is away (`failures` says what is raised then) nothing is found and nothing is kept: clients send their
    documents in full. `failed` is told, so that it is seen.
    """

    def __init__(
        self,
        valkey: Valkey,
        *,
        failures: tuple[type[Exception], ...],
        failed: Any = None,
        prefix: str = "{graphql:documents}",
        seconds: int = DAY,
        most: int = 10_000,
    ) -> None:
        self.valkey = valkey
        self.failures = failures
        self.failed = failed
        self.prefix = prefix
        self.seconds = seconds
        self.most = most

    async def get(self, sha256: str) -> str | None:
        """The text; None where it is not kept, or Valkey is away."""
        try:
            found = await self.valkey.get(f"{self.prefix}:{sha256}")
        except self.failures as error:
            self._tell(error)
            return None
        return found.decode() if isinstance(found, bytes) else found

    async def put(self, sha256: str, text: str) -> None:
        """Keep a text; does nothing where Valkey is away."""
        keys = (f"{self.prefix}:{sha256}", f"{self.prefix}:order")
        try:
            await self.valkey.eval(PUT, 2, *keys, text, self.seconds, self.most)
        except self.failures as error:
            self._tell(error)

    def _tell(self, error: Exception) -> None:
        if self.failed is not None:
            self.failed(error)
