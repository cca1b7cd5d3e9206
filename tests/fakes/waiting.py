"""Waiting for what happens elsewhere, with an end."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable

PATIENCE = 20.0
"""Seconds after which a test fails; what is waited for takes milliseconds."""


async def eventually(condition: Callable[[], Awaitable[bool]]) -> None:
    """Return once the condition holds; raises TimeoutError where it never does."""
    async with asyncio.timeout(PATIENCE):
        while True:
            if await condition():
                return
            await asyncio.sleep(0.01)
