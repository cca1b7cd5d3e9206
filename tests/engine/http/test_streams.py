"""How streams end, and what waits meanwhile: by hand, so that nothing depends on the speed of the machine."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import pytest

from engine.errors import Refused
from tests.engine.http.asking import events_of
from tests.engine.http.toy import toy
from tests.engine.http.wire import Wire
from tests.fakes.waiting import eventually

FOREVER = "subscription { forever }"
FLOOD = "subscription { flood }"


async def until(wire: Wire, text: str) -> None:
    """Wait until that has been sent."""

    async def there() -> bool:
        return text in wire.text

    await eventually(there)


async def test_silence_is_filled_with_comments() -> None:
    standing, wire = toy(heartbeat=0.01), Wire(FOREVER)
    running = wire.start(standing.app)
    await until(wire, '{"forever":1}}\n\n:\n\n:\n\n')
    wire.leave()
    await running
    assert standing.watch.closed == 1


async def test_of_a_client_that_does_not_read_one_event_waits() -> None:
    standing, wire = toy(), Wire(FLOOD)
    running = wire.start(standing.app)
    await until(wire, "event: next")
    wire.reading.clear()
    await asyncio.sleep(0)
    produced = standing.watch.produced
    for _ in range(100):
        await asyncio.sleep(0)
    assert standing.watch.produced <= produced + 1
    wire.leave()
    await running
    assert standing.watch.closed == 1


async def test_a_client_that_takes_nothing_for_long_is_cut_off() -> None:
    standing, wire = toy(patience=0.05), Wire(FLOOD)
    running = wire.start(standing.app)
    await until(wire, "event: next")
    wire.reading.clear()
    await running
    assert (standing.watch.closed, standing.app.streams.count, wire.ended) == (1, 0, False)
    assert standing.watch.faults == []


async def test_a_client_that_takes_nothing_at_all_leaves_nothing_open() -> None:
    standing, wire = toy(patience=0.05), Wire(FOREVER)
    running = wire.start(standing.app)
    wire.holds_bodies = True
    await running
    assert (standing.watch.opened, standing.watch.closed, standing.app.streams.count) == (0, 0, 0)
    assert (wire.text, wire.ended, standing.watch.faults) == ("", False, [])


async def test_a_server_that_is_stopped_hard_leaves_nothing_open() -> None:
    standing, wire = toy(), Wire(FOREVER)
    running = wire.start(standing.app)
    await until(wire, '"forever":1')
    running.cancel()
    with pytest.raises(asyncio.CancelledError):
        await running
    assert (standing.watch.closed, standing.app.streams.count) == (1, 0)


async def test_credentials_that_expire_end_the_stream_and_it_says_so() -> None:
    standing, wire = toy(expires_in=lambda _: 0.05), Wire(FOREVER)
    await wire.start(standing.app)
    first, last, end = events_of(wire.text)
    assert '"forever":1' in first["data"]
    assert '"UNAUTHENTICATED"' in last["data"]
    assert (end["event"], wire.ended, standing.watch.closed) == ("complete", True, 1)
    assert standing.watch.faults == []


async def test_credentials_that_are_revoked_end_their_streams_and_no_others() -> None:
    standing = toy(identities_of=lambda context: (context["who"],))
    ada, bob = Wire(FOREVER, authorization="Bearer good-ada"), Wire(FOREVER, authorization="Bearer good-bob")
    running = [wire.start(standing.app) for wire in (ada, bob)]
    for wire in (ada, bob):
        await until(wire, '"forever":1')
    assert standing.app.streams.revoke("ada", "nobody") == 1
    await running[0]
    first, last, end = events_of(ada.text)
    assert '"forever":1' in first["data"]
    assert '"UNAUTHENTICATED"' in last["data"]
    assert "revoked" in last["data"]
    assert (end["event"], ada.ended, standing.watch.closed) == ("complete", True, 1)
    bob.leave()
    await running[1]
    assert (len(events_of(bob.text)), standing.app.streams.revoke("ada", "bob")) == (1, 0)
    assert standing.watch.faults == []


async def test_a_stream_that_is_revoked_before_it_is_told_ends_at_once() -> None:
    standing, wire = toy(identities_of=lambda _: ("ada",)), Wire(FOREVER)
    wire.reading.clear()
    running = wire.start(standing.app)

    async def known() -> bool:
        return standing.app.streams.revoke("ada") == 1

    await eventually(known)
    wire.reading.set()
    await running
    assert "revoked" in wire.text
    assert (wire.ended, standing.watch.opened, standing.watch.faults) == (True, standing.watch.closed, [])


async def test_a_server_that_stops_ends_streams_without_completing_them() -> None:
    standing, wire = toy(), Wire(FOREVER)
    running = wire.start(standing.app)
    await until(wire, '"forever":1')
    standing.app.streams.stop()
    await running
    assert "complete" not in wire.text
    assert (wire.ended, standing.watch.closed) == (True, 1)


async def test_a_stream_is_tracked_and_may_be_refused_beside_others() -> None:
    held: list[str] = []

    @contextmanager
    def tracking(connection: Any) -> Iterator[None]:
        if held:
            raise Refused(429, "One stream each.", {"code": "RATE_LIMITED", "retryAfter": 7})
        held.append(connection.scope["path"])
        yield
        held.clear()

    standing, first, second = toy(tracking=tracking), Wire(FOREVER), Wire(FOREVER)
    running = first.start(standing.app)
    await until(first, '"forever":1')
    await second.start(standing.app)
    assert second.sent[0]["status"] == 429
    assert (b"retry-after", b"7") in second.sent[0]["headers"]
    assert (standing.app.streams.count, held) == (1, ["/graphql"])
    first.leave()
    await running
    assert (standing.app.streams.count, held) == (0, [])


async def test_a_cursor_that_would_break_the_stream_is_a_fault() -> None:
    standing, wire = toy(), Wire("subscription { count(to: 1) { number cursor } }")
    object.__setattr__(standing.app.streams.events, "cursor_of", lambda _: "1\ndata: forged")
    await wire.start(standing.app)
    event, end = events_of(wire.text)
    assert '"INTERNAL"' in event["data"]
    assert end["event"] == "complete"
    assert "forged" not in wire.text
    assert [type(fault) for fault in standing.watch.faults] == [ValueError]
