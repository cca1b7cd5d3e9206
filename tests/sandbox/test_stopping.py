"""Whoever carries webhooks stops when told to, whatever wakes it at that moment."""

import asyncio
from pathlib import Path

import pytest

from sandbox.attempts import EXPIRE
from sandbox.clock import Clock
from sandbox.courier import Courier
from sandbox.settings import Settings
from sandbox.store import Store

TURNS = range(5)
"""Of the event loop, between being woken and being told to stop: as many as the waking takes, and some."""


@pytest.mark.parametrize("turns", TURNS)
async def test_the_courier_stops_while_it_is_woken(tmp_path: Path, turns: int) -> None:
    store = Store(str(tmp_path / "sandbox.db"))
    clock = Clock(store)
    store.add_timer(clock.now() + 3600, EXPIRE, "pi_later")  # it waits for a moment, and to be woken
    courier = Courier(store, clock, Settings())
    running = asyncio.create_task(courier.run())
    await asyncio.sleep(0.01)
    courier.wake()
    for _ in range(turns):
        await asyncio.sleep(0)
    running.cancel()
    with pytest.raises(asyncio.CancelledError):
        await asyncio.wait_for(running, 5)
    store.close()
