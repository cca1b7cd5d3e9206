"""Passwords: which are accepted, and how they are kept.

Kept as argon2id (RFC 9106) at OWASP's t=2, m=19456 KiB, p=1, about 35 ms each. Accepted as NIST SP 800-63B, section
5.1.1, says: by length alone, in any characters, except those that everybody tries first. Hashing runs in a few
threads, never on the event loop, and never inside a transaction.
"""

from __future__ import annotations

import asyncio
import unicodedata
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import TypeVar

from argon2 import PasswordHasher
from argon2.exceptions import InvalidHashError, VerificationError

from core.errors import Invalid, Unavailable

SHORTEST, LONGEST = 8, 200
THREADS = 2
LONGEST_QUEUE = 100
"""Hashes under way or waiting, about two seconds of work; whoever comes then is asked to come again."""

TRIED_FIRST = frozenset(
    """
    password password1 password12 password123 passw0rd p@ssw0rd p@ssword 12345678 123456789 1234567890 0123456789
    87654321 987654321 0987654321 11111111 00000000 88888888 12341234 11223344 1q2w3e4r 1q2w3e4r5t 1qaz2wsx qwertyui
    qwertyuiop qwerty123 qwerty12 asdfghjk asdfghjkl zxcvbnm1 abcd1234 abc12345 abcdefgh iloveyou sunshine princess
    football baseball superman batman123 starwars trustno1 welcome1 welcome123 letmein1 letmein123 whatever computer
    internet dragon123 monkey123 michelle jennifer liverpool corvette administrator admin123 changeme secret123
    jetway123 jetwayjetway
    """.split()
)

HASHER = PasswordHasher(time_cost=2, memory_cost=19456, parallelism=1)
NOBODYS = HASHER.hash("a password that nobody has")
"""Stands in where there is no account, so that its absence takes as long to find out."""

Result = TypeVar("Result")


def accept(password: str) -> str:
    """The password as it is hashed (Unicode NFKC). Raises Invalid for one that may not be chosen."""
    normal = unicodedata.normalize("NFKC", password)
    if not SHORTEST <= len(normal) <= LONGEST:
        raise Invalid(f"A password has {SHORTEST} to {LONGEST} characters.", field="password")
    if normal.casefold() in TRIED_FIRST or len(set(normal)) == 1:
        raise Invalid("This password is among the first that anybody tries. Choose another.", field="password")
    return normal


class Passwords:
    """The threads that hash. One for each process."""

    def __init__(self) -> None:
        self._threads = ThreadPoolExecutor(THREADS, thread_name_prefix="passwords")
        self._queued = 0

    async def hash(self, password: str) -> str:
        """The hash to keep of an accepted password. Raises Invalid for one that `accept` refuses."""
        return await self._run(HASHER.hash, accept(password))

    async def verify(self, kept: str | None, password: str) -> bool:
        """Whether `password` is the one that was hashed. `None` for nobody's hash: False, and it takes as long."""
        normal = unicodedata.normalize("NFKC", password)[: LONGEST + 1]
        right = await self._run(matches, kept or NOBODYS, normal)
        return right and kept is not None

    def close(self) -> None:
        """End the threads."""
        self._threads.shutdown(wait=False, cancel_futures=True)

    async def _run(self, work: Callable[..., Result], *arguments: str) -> Result:
        if self._queued >= LONGEST_QUEUE:
            raise Unavailable("Too many people are signing in at this moment.", retry_after=2)
        self._queued += 1
        try:
            return await asyncio.get_running_loop().run_in_executor(self._threads, work, *arguments)
        finally:
            self._queued -= 1


def matches(kept: str, password: str) -> bool:
    """Whether argon2 says that `kept` is the hash of `password`."""
    try:
        return HASHER.verify(kept, password)
    except (VerificationError, InvalidHashError):
        return False
