"""Jetway over real HTTP in the test's own process: on the test's database, with no worker that would move anything."""

from __future__ import annotations

import asyncio
import base64
import os
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass

import uvicorn

from app import create_app
from core.keys import Keyring
from core.settings import Settings
from tests.fakes.sandbox import KEY, SECRET, Sandbox


@dataclass(frozen=True)
class Inside:
    """Where it answers, and the keys that it signs with."""

    url: str
    keyring: Keyring


@asynccontextmanager
async def serving(database_url: str, redis_url: str, sandbox: Sandbox) -> AsyncIterator[Inside]:
    """The whole application, for as long as the block lasts."""
    secret = os.urandom(32)
    settings = Settings.from_env(
        {
            "DATABASE_URL": database_url,
            "REDIS_URL": redis_url,
            "JETWAY_SECRETS": base64.urlsafe_b64encode(secret).decode(),
            "STRIPE_API_KEY": KEY,
            "STRIPE_WEBHOOK_SECRET": SECRET,
            "STRIPE_API_BASE": sandbox.url,
            "LOG_LEVEL": "CRITICAL",
        }
    )
    server = uvicorn.Server(uvicorn.Config(create_app(settings), port=0, log_config=None, access_log=False))
    running = asyncio.create_task(server.serve())
    while not server.started:
        await asyncio.sleep(0.01)
        if running.done():
            await running
    port = server.servers[0].sockets[0].getsockname()[1]
    try:
        yield Inside(f"http://127.0.0.1:{port}", Keyring((secret,)))
    finally:
        server.should_exit = True
        await running
