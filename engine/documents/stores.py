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
local weight = tonumber(redis.call('GET', KEYS[3]) or '0')
if redis.call('ZADD', KEYS[2], now[1] + now[2] / 1000000, #ARGV[1] .. ' ' .. KEYS[1]) == 1 then
  weight = weight + #ARGV[1]
end
while redis.call('ZCARD', KEYS[2]) > tonumber(ARGV[3]) or weight > tonumber(ARGV[4]) do
  local oldest = redis.call('ZPOPMIN', KEYS[2])[1]
  local size, key = string.match(oldest, '^(%d+) (.*)$')
  weight = weight - tonumber(size)
  redis.call('UNLINK', key)
end
redis.call('SET', KEYS[3], weight, 'EX', ARGV[2])
redis.call('EXPIRE', KEYS[2], ARGV[2])
"""
"""Keep a text, and let the oldest go where there are too many or they weigh too much.

What a text weighs stands beside its key in the order, so that it is known when the text itself has expired. The keys
share a hash tag, for clusters.
"""


class ValkeyStore:
    """A store that processes share: `most` texts of `weight` bytes together, each for `seconds` since it was put there.

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
        weight: int = 64 * 2**20,
    ) -> None:
        self.valkey = valkey
        self.failures = failures
        self.failed = failed
        self.prefix = prefix
        self.seconds = seconds
        self.most = most
        self.weight = weight

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
        keys = (f"{self.prefix}:{sha256}", f"{self.prefix}:order", f"{self.prefix}:weight")
        try:
            await self.valkey.eval(PUT, len(keys), *keys, text, self.seconds, self.most, self.weight)
        except self.failures as error:
            self._tell(error)

    def _tell(self, error: Exception) -> None:
        if self.failed is not None:
            self.failed(error)
