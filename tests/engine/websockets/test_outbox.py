"""What waits for one socket, by hand: so that nothing depends on how quickly a kernel's buffers fill."""

from __future__ import annotations

import asyncio

import pytest

from engine.websockets.codes import Closing
from engine.websockets.options import Options
from engine.websockets.outbox import WEIGHT, Outbox, Subscriber

BYE = Closing(4400, "Bye")
OPTIONS = Options(outgoing_bytes=2 * (10 + WEIGHT), patience=60.0, closing_seconds=60.0)


class Wire:
    """A line that takes so many messages before it is full."""

    def __init__(self, options: Options = OPTIONS, room: int = 1_000) -> None:
        self.room = room
        self.taken: list[str | int] = []
        self.closings = 0
        self.is_full = False
        self.was_cut = asyncio.Event()
        self.outbox = Outbox(self, options, self._closes)

    def _closes(self) -> None:
        self.closings += 1

    def write(self, message: bytes) -> None:
        self.taken.append(message.decode())
        self.room -= 1
        self.is_full = self.room <= 0

    def close(self, closing: Closing) -> None:
        self.taken.append(closing.code)

    def cut(self) -> None:
        self.was_cut.set()

    def drain(self, room: int = 1_000) -> None:
        """Take what was written: there is room again."""
        self.room, self.is_full = room, False
        self.outbox.drained()


async def turns() -> None:
    """Let everything run that can."""
    for _ in range(10):
        await asyncio.sleep(0)


async def test_messages_go_in_their_order_and_the_closing_after_them() -> None:
    wire = Wire(room=1)
    for number in range(2):
        wire.outbox.send(b"%d" % number)
    assert wire.taken == ["0"]
    wire.outbox.close(BYE)
    wire.outbox.close(Closing(4500, "a second reason"))
    wire.outbox.send(b"too late")
    assert (wire.taken, wire.closings) == (["0", "1", 4400], 1)


async def test_what_waits_is_sent_as_soon_as_there_is_room() -> None:
    wire = Wire(room=1)
    for number in range(3):
        wire.outbox.send(b"%d" % number)
    wire.drain(room=1)
    assert wire.taken == ["0", "1"]
    wire.drain()
    assert (wire.taken, wire.outbox.weight) == (["0", "1", "2"], 0)


async def test_more_than_may_wait_is_dropped_and_closes() -> None:
    wire = Wire(room=1)
    for number in range(4):
        wire.outbox.send(b"%010d" % number)
    assert wire.taken == ["0000000000", 4413]


@pytest.mark.parametrize("room", [1, 1_000])
async def test_one_message_alone_may_be_of_any_size(room: int) -> None:
    wire = Wire(room=room)
    wire.outbox.send(b"0")
    wire.outbox.send(b"x" * 1_000)
    wire.drain()
    assert (wire.taken, wire.outbox.weight, wire.outbox.closing) == (["0", "x" * 1_000], 0, None)


async def test_who_can_wait_waits_for_room() -> None:
    wire = Wire(room=2)
    waiting = [asyncio.create_task(wire.outbox.put(b"%d" % number)) for number in range(5)]
    await turns()
    assert [task.done() for task in waiting] == [True, True, False, False, False]
    wire.drain()
    await asyncio.gather(*waiting)
    assert (wire.taken, wire.outbox.weight) == (["0", "1", "2", "3", "4"], 0)


async def test_who_waits_waits_for_ever_once_the_socket_closes() -> None:
    wire = Wire(room=2)
    waiting = [asyncio.create_task(wire.outbox.put(b"%d" % number)) for number in range(3)]
    await turns()
    wire.outbox.close(BYE)
    waiting.append(asyncio.create_task(wire.outbox.put(b"x")))
    wire.drain()
    await turns()
    assert wire.taken == ["0", "1", 4400]
    assert [task.done() for task in waiting] == [True, True, False, False]
    for task in waiting:
        task.cancel()


async def test_a_source_that_always_has_more_lets_others_have_their_turn() -> None:
    wire = Wire()

    async def tell() -> None:
        while True:
            await wire.outbox.put(b"x")

    telling = asyncio.create_task(tell())
    await turns()
    wire.outbox.close(BYE)
    told = len(wire.taken)
    await turns()
    assert len(wire.taken) == told
    telling.cancel()


async def test_who_waits_longest_goes_first() -> None:
    wire = Wire(room=1)

    async def tell(name: str) -> None:
        for _ in range(3):
            await wire.outbox.put(name.encode())

    telling = [asyncio.create_task(tell(name)) for name in "abc"]
    for _ in range(9):
        await turns()
        wire.drain(room=1)
    await asyncio.gather(*telling)
    assert wire.taken == list("abcabcabc")


async def test_a_line_that_stays_full_is_given_up_and_cut() -> None:
    wire = Wire(Options(patience=0.0, closing_seconds=0.0), room=1)
    wire.outbox.send(b"0")
    await wire.was_cut.wait()
    assert (wire.taken, wire.closings) == (["0", 4413], 1)


async def test_a_line_that_takes_all_in_time_is_not() -> None:
    wire = Wire(Options(patience=0.0), room=1)
    wire.outbox.send(b"0")
    wire.drain()
    await turns()
    assert (wire.taken, wire.outbox.closing) == (["0"], None)


async def test_whoever_was_slow_hears_when_everything_is_taken() -> None:
    wire = Wire(room=1)
    subscriber = Subscriber(wire.outbox, "1")
    heard: list[str] = []
    assert subscriber.tell([b"1", b"2"])
    assert not subscriber.tell([b"3"])
    subscriber.next(b"4")
    subscriber.when_ready(lambda: heard.append("ready"))
    wire.drain(room=1)
    assert heard == []
    wire.drain()
    wire.drain()
    assert heard == ["ready"]
    assert [message[-2:-1] for message in map(str, wire.taken)] == ["1", "2", "4"]


async def test_whoever_has_left_hears_nothing_of_it() -> None:
    wire = Wire(room=1)
    subscriber = Subscriber(wire.outbox, "1")
    heard: list[str] = []
    subscriber.next(b"{}")
    subscriber.when_ready(lambda: heard.append("ready"))
    subscriber.when_ready(None)
    wire.drain()
    assert heard == []


async def test_an_operation_that_has_ended_says_no_more() -> None:
    wire = Wire(Options())
    subscriber = Subscriber(wire.outbox, "1")
    subscriber.next(b"{}")
    subscriber.complete()
    subscriber.next(b"{}")
    await subscriber.put(b"{}")
    subscriber.refuse([])
    subscriber.complete()
    assert wire.taken == ['{"id":"1","type":"next","payload":{}}', '{"id":"1","type":"complete"}']


def test_a_reason_fits_into_a_frame() -> None:
    for reason in ("x" * 200, "ü" * 100, "\ud800" * 200):
        message = Closing(4400, reason).message()
        assert 121 < len(str(message["reason"]).encode()) <= 123
