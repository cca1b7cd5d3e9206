"""What waits for one socket, by hand: so that nothing depends on how quickly a kernel's buffers fill."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest

from engine.websockets.codes import Closing
from engine.websockets.options import Options
from engine.websockets.outbox import WEIGHT, Outbox, Subscriber

BYE = Closing(4400, "Bye")
OPTIONS = Options(outgoing_bytes=2 * (10 + WEIGHT), patience=60.0, closing_seconds=0.05)


class Line:
    """A connection that takes messages while it is `open`."""

    def __init__(self, options: Options = OPTIONS) -> None:
        self.open = asyncio.Event()
        self.open.set()
        self.taken: list[Any] = []
        self.closings = 0
        self.outbox = Outbox(self._take, options, self._closes)
        self.running = asyncio.create_task(self.outbox.run())

    def _closes(self) -> None:
        self.closings += 1

    async def _take(self, message: Any) -> None:
        await self.open.wait()
        self.taken.append(message.get("text", message.get("code")))


async def turns() -> None:
    """Let everything run that can."""
    for _ in range(10):
        await asyncio.sleep(0)


async def test_messages_go_in_their_order_and_the_closing_after_them() -> None:
    line = Line()
    for number in range(2):
        line.outbox.send(b"%d" % number)
    line.outbox.close(BYE)
    line.outbox.close(Closing(4500, "a second reason"))
    line.outbox.send(b"too late")
    assert await line.running is True
    assert (line.taken, line.closings) == (["0", "1", 4400], 1)


async def test_more_than_may_wait_is_dropped_and_closes() -> None:
    line = Line()
    for number in range(3):
        line.outbox.send(b"%010d" % number)
    assert line.outbox.closing is not None
    assert line.outbox.closing.code == 4413
    assert await line.running is True
    assert line.taken == [4413]


async def test_one_message_alone_may_be_of_any_size() -> None:
    line = Line()
    line.outbox.send(b"x" * 1_000)
    await turns()
    assert (line.taken, line.outbox.weight, line.outbox.closing) == (["x" * 1_000], 0, None)
    line.running.cancel()


async def test_who_can_wait_waits_for_room() -> None:
    line = Line()
    line.open.clear()
    waiting = [asyncio.create_task(line.outbox.put(b"%010d" % number)) for number in range(5)]
    await turns()
    assert [task.done() for task in waiting] == [True, True, False, False, False]
    line.open.set()
    await asyncio.gather(*waiting)
    await turns()
    assert line.taken == [f"{number:010d}" for number in range(5)]
    assert (line.outbox.weight, line.outbox.closing) == (0, None)
    line.running.cancel()


async def test_who_waits_waits_for_ever_once_the_socket_closes() -> None:
    line = Line()
    line.open.clear()
    waiting = [asyncio.create_task(line.outbox.put(b"%010d" % number)) for number in range(3)]
    await turns()
    line.outbox.close(BYE)
    waiting.append(asyncio.create_task(line.outbox.put(b"x")))
    line.open.set()
    assert await line.running is True
    await turns()
    assert line.taken == ["0000000000", "0000000001", 4400]
    assert [task.done() for task in waiting] == [True, True, False, False]
    for task in waiting:
        task.cancel()


async def test_a_source_that_always_has_more_lets_others_have_their_turn() -> None:
    line = Line(Options())

    async def tell() -> None:
        while True:
            await line.outbox.put(b"x")

    telling = asyncio.create_task(tell())
    await turns()
    line.outbox.close(BYE)
    assert await line.running is True
    telling.cancel()


async def test_a_line_that_takes_nothing_is_given_up() -> None:
    line = Line(Options(patience=0.01, closing_seconds=0.01))
    line.open.clear()
    line.outbox.send(b"0")
    assert await line.running is False
    assert line.outbox.closing is not None
    assert line.outbox.closing.code == 4413


@pytest.mark.parametrize("error", [OSError, RuntimeError])
async def test_a_line_that_breaks_has_ended(error: type[Exception]) -> None:
    async def send(message: Any) -> None:
        raise error

    outbox = Outbox(send, OPTIONS, lambda: None)
    outbox.send(b"0")
    assert await outbox.run() is False


async def test_an_operation_that_has_ended_says_no_more() -> None:
    line = Line(Options())
    subscriber = Subscriber(line.outbox, "1")
    subscriber.next(b"{}")
    subscriber.complete()
    subscriber.next(b"{}")
    await subscriber.put(b"{}")
    subscriber.refuse([])
    subscriber.complete()
    await turns()
    assert line.taken == ['{"id":"1","type":"next","payload":{}}', '{"id":"1","type":"complete"}']
    line.running.cancel()


def test_a_reason_fits_into_a_frame() -> None:
    for reason in ("x" * 200, "ü" * 100, "\ud800" * 200):
        message = Closing(4400, reason).message()
        assert 121 < len(str(message["reason"]).encode()) <= 123


async def test_who_waits_longest_goes_first() -> None:
    line = Line(Options(outgoing_bytes=1))

    async def tell(name: str) -> None:
        for _ in range(3):
            await line.outbox.put(name.encode())

    await asyncio.gather(*[tell(name) for name in "abc"])
    await turns()
    assert "".join(line.taken) == "abcabcabc"
    line.running.cancel()
