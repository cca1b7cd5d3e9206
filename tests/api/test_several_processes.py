"""Several server processes behind one port: any of them serves a cursor, one that dies takes nobody's changes along."""

from __future__ import annotations

import asyncio
import json
import os
import signal
import sys
from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import httpx
import psutil
import pytest
from redis.asyncio import Redis
from websockets.asyncio.client import ClientConnection, connect
from websockets.exceptions import ConnectionClosed, InvalidHandshake
from websockets.typing import Subprotocol

from bench.client import DOCUMENTS
from core.db import Database
from core.ids import global_id
from resolvers.flights import FLIGHT_KIND
from services.relay import Relay, ToValkey
from tests.factories.facts import leader, relay_all
from tests.factories.holds import place
from tests.factories.schedules import Schedule
from tests.fakes.servers import PATIENCE, free_port
from tests.fakes.waiting import eventually

ROOT = Path(__file__).parents[2]
SOCKETS = 24
"""So many that each of two processes has some: the odds against it are one to eight million."""

SECRETS = {
    "JETWAY_SECRETS": "x" * 43,
    "STRIPE_API_KEY": "sk_test_nobody",
    "STRIPE_WEBHOOK_SECRET": "whsec_nobody",
    "STRIPE_API_BASE": "http://127.0.0.1:9",
}


@dataclass
class Viewer:
    """Somebody who watches the seats of a flight, and comes back when he is cut off."""

    url: str
    flight_id: str
    seats: dict[str, str] = field(default_factory=dict)
    cursor: str | None = None
    snapshots: int = 0
    ends: list[int] = field(default_factory=list)

    async def watch(self) -> None:
        """Watch, until the server cannot be reached any more."""
        while True:
            try:
                async with connect(self.url, subprotocols=[Subprotocol("graphql-transport-ws")]) as socket:
                    await self._hear(socket)
            except ConnectionClosed as closed:
                self.ends.append(1006 if closed.rcvd is None else closed.rcvd.code)
            except (OSError, InvalidHandshake):
                # Nobody listens, or whoever did has ended before he took the connection out of his queue.
                await asyncio.sleep(0.05)

    async def _hear(self, socket: ClientConnection) -> None:
        await socket.send(json.dumps({"type": "connection_init"}))
        await socket.recv()
        variables = {"flightId": self.flight_id, "after": self.cursor}
        payload = {"query": DOCUMENTS["SeatMapEvents"], "variables": variables}
        await socket.send(json.dumps({"type": "subscribe", "id": "1", "payload": payload}))
        while True:
            self._see(json.loads(await socket.recv())["payload"]["data"]["seatMapEvents"])

    def _see(self, event: dict[str, Any]) -> None:
        self.snapshots += event["__typename"] == "SeatMapSnapshot"
        self.cursor = event["cursor"]
        self.seats.update({seat["number"]: seat["status"] for seat in event["seats"]})


@dataclass
class Crew:
    """The processes."""

    process: asyncio.subprocess.Process
    url: str

    def members(self) -> list[psutil.Process]:
        """Those that serve."""
        children: list[psutil.Process] = psutil.Process(self.process.pid).children()
        return children


@pytest.fixture
async def crew(database_url: str, redis_url: str, schedule: Schedule, folder: Path) -> AsyncIterator[Crew]:
    """Two of them."""
    del schedule  # it is there before they begin
    port = free_port()
    told = {"DATABASE_URL": database_url, "REDIS_URL": redis_url, "PORT": str(port), "SERVER_PROCESSES": "2", **SECRETS}
    with (folder / "crew.log").open("ab") as output:
        process = await asyncio.create_subprocess_exec(
            sys.executable, "-m", "app", cwd=ROOT, env={**os.environ, **told}, stdout=output, stderr=output
        )
    crew = Crew(process, f"127.0.0.1:{port}")
    try:
        await started(crew)
        yield crew
    finally:
        if process.returncode is None:
            process.terminate()
            await process.wait()


async def started(crew: Crew) -> None:
    """Return once both listen, which takes them a while on a busy machine."""
    async with asyncio.timeout(PATIENCE):
        while True:
            if await both_answer(crew):
                return
            await asyncio.sleep(0.1)


async def both_answer(crew: Crew) -> bool:
    """Whether both listen."""
    listening = [
        member
        for member in crew.members()
        if any(connection.status == psutil.CONN_LISTEN for connection in member.net_connections("tcp"))
    ]
    if len(listening) < 2:
        return False
    async with httpx.AsyncClient() as client:
        return (await client.get(f"http://{crew.url}/healthz")).status_code == 200


async def test_who_is_cut_off_goes_on_at_another_and_nobody_misses_anything(
    crew: Crew, database: Database, database_url: str, redis_url: str, schedule: Schedule
) -> None:
    flight_id = global_id(FLIGHT_KIND, schedule.first)
    viewers = [Viewer(f"ws://{crew.url}/graphql", flight_id) for _ in range(SOCKETS)]
    watching = [asyncio.create_task(viewer.watch()) for viewer in viewers]
    leading = await leader(database_url)
    async with Redis.from_url(redis_url) as redis:
        relay = Relay(database_url, ToValkey(redis))

        async def hold(seat: str) -> None:
            await place(database, schedule.first, seat)
            await relay_all(relay, leading)

        async def all_know(seat: str) -> bool:
            return all(viewer.seats.get(seat) == "LOCKED" for viewer in viewers)

        await eventually(lambda: all_came(viewers))
        await hold("2A")
        await eventually(lambda: all_know("2A"))
        crew.members()[0].send_signal(signal.SIGKILL)
        await hold("2B")
        await eventually(lambda: all_know("2B"))
        assert 0 < sum(viewer.ends == [1006] for viewer in viewers) < SOCKETS
        assert [viewer.snapshots for viewer in viewers] == [1] * SOCKETS
        before = [list(viewer.ends) for viewer in viewers]
        crew.process.terminate()
        assert await crew.process.wait() == 0
        await eventually(lambda: all_were_told(viewers, before))
    await leading.close()
    for task in watching:
        task.cancel()
    await asyncio.gather(*watching, return_exceptions=True)


async def all_came(viewers: list[Viewer]) -> bool:
    """Whether each has seen the seats."""
    return all(viewer.seats for viewer in viewers)


async def all_were_told(viewers: list[Viewer], before: list[list[int]]) -> bool:
    """Whether each was told to connect again; whoever did, to a process that was still there, was told once more."""
    ends = [viewer.ends[len(earlier) :] for viewer, earlier in zip(viewers, before, strict=True)]
    return all(told and set(told) == {1012} for told in ends)
