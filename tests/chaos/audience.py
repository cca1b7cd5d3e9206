"""Viewers of seat maps who do what docs/live.md tells clients to do, whatever happens to whoever serves them.

Each keeps one socket to any of the servers. When it ends, for whatever reason, the viewer goes to any of them with its
cursor. A viewer counts what it hears, and notes where it hears what nobody should.
"""

from __future__ import annotations

import asyncio
import json
import random
from collections import Counter
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any

from websockets.asyncio.client import ClientConnection, connect
from websockets.exceptions import WebSocketException
from websockets.typing import Subprotocol

from tests.fakes.clients import DOCUMENTS

Seats = dict[str, tuple[str, int]]
"""Status and version of each seat."""

UNKNOWN = ("", -1)

PAUSE = 0.1
"""Seconds at most before a viewer comes again."""

GONE = (WebSocketException, OSError, TimeoutError)


class Refused(Exception):
    """The stream ended with an error, as it does while a server has no database."""


@dataclass
class Viewer:
    """One of them, of one flight. `heard` counts events by name, `ends` and `refusals`."""

    urls: Sequence[str]
    flight: str
    dice: random.Random
    seats: Seats = field(default_factory=dict)
    cursor: str | None = None
    heard: Counter[str] = field(default_factory=Counter)
    wrong: list[str] = field(default_factory=list)

    @property
    def events(self) -> int:
        """How many events it has heard."""
        return self.heard["SeatMapSnapshot"] + self.heard["SeatsChanged"]

    async def watch(self) -> None:
        """Watch for ever."""
        while True:
            try:
                async with self._opened() as socket:
                    while True:
                        self.see(await self._event(socket))
            except Refused:
                self.heard["refusals"] += 1
            except GONE:
                self.heard["ends"] += 1
            await asyncio.sleep(self.dice.uniform(0, PAUSE))

    async def look(self) -> Seats:
        """The seats as a client sees them who comes now and knows nothing. Raises where no server answers."""
        async with self._opened() as socket:
            self.see(await self._event(socket))
        return self.seats

    def see(self, event: dict[str, Any]) -> None:
        """Take in an event: a snapshot replaces all, a change replaces older states."""
        self.heard[event["__typename"]] += 1
        known = {seat["number"]: (seat["status"], seat["version"]) for seat in event["seats"]}
        if event["__typename"] == "SeatMapSnapshot":
            if event["reset"] is (self.cursor is None):
                self.wrong.append(f"a snapshot with reset {event['reset']} at {self.cursor}")
            self.heard["resets"] += event["reset"]
            self.seats = known
        else:
            self.wrong += [f"seat {number} was never heard of" for number in known if number not in self.seats]
            self.seats |= {
                number: state for number, state in known.items() if state[1] > self.seats.get(number, UNKNOWN)[1]
            }
        self.cursor = event["cursor"]

    @asynccontextmanager
    async def _opened(self) -> AsyncIterator[ClientConnection]:
        url = self.dice.choice(self.urls).replace("http://", "ws://") + "/graphql"
        async with connect(
            url, subprotocols=[Subprotocol("graphql-transport-ws")], proxy=None, open_timeout=5, close_timeout=1
        ) as socket:
            await socket.send(json.dumps({"type": "connection_init"}))
            await socket.recv()
            variables = {"flightId": self.flight, "after": self.cursor}
            asked = {"query": DOCUMENTS, "operationName": "SeatMapEvents", "variables": variables}
            await socket.send(json.dumps({"type": "subscribe", "id": "1", "payload": asked}))
            yield socket

    async def _event(self, socket: ClientConnection) -> dict[str, Any]:
        while True:
            message = json.loads(await socket.recv())
            if message["type"] == "ping":
                await socket.send(json.dumps({"type": "pong"}))
                continue
            data = message["payload"].get("data") if message["type"] == "next" else None
            if not data or data["seatMapEvents"] is None:
                raise Refused(str(message))
            event: dict[str, Any] = data["seatMapEvents"]
            return event


@asynccontextmanager
async def audience(
    urls: Sequence[str], flights: Sequence[str], count: int, seed: object
) -> AsyncIterator[list[Viewer]]:
    """So many viewers, in turn of each of the flights, who watch until the block ends.

    Raises what no viewer expects: an event that is none of the contract's.
    """
    viewers = [Viewer(urls, flights[n % len(flights)], random.Random(f"{seed}/viewer {n}")) for n in range(count)]
    tasks = [asyncio.create_task(viewer.watch()) for viewer in viewers]
    try:
        yield viewers
    finally:
        for task in tasks:
            task.cancel()
        for outcome in await asyncio.gather(*tasks, return_exceptions=True):
            if isinstance(outcome, Exception):
                raise outcome


async def differences(viewers: Sequence[Viewer]) -> list[str]:
    """Where viewers see something else than somebody who comes now, once nothing changes any more."""
    found = []
    for flight in sorted({viewer.flight for viewer in viewers}):
        now = await Viewer(viewers[0].urls, flight, random.Random(0)).look()
        for n, viewer in enumerate(viewers):
            if viewer.flight != flight:
                continue
            if wrong := unlike(viewer, now):
                found.append(f"viewer {n} of {flight}, after {dict(viewer.heard)}: sees, and should see: {wrong}")
    return found


def unlike(viewer: Viewer, now: Seats) -> dict[str, tuple[tuple[str, int], tuple[str, int]]]:
    """What a viewer knows, and what is, of seats where that is not the same."""
    return {
        seat: (viewer.seats.get(seat, UNKNOWN), state) for seat, state in now.items() if not same(viewer, seat, state)
    }


def same(viewer: Viewer, seat: str, now: tuple[str, int]) -> bool:
    """Whether a viewer knows what a seat is now. Ten minutes after it became free its version is forgotten: 0."""
    status, version = viewer.seats.get(seat, UNKNOWN)
    return status == now[0] and now[1] in (version, 0)
