"""Frames that break WebSocket itself: told with a code of RFC 6455, and never without one."""

from __future__ import annotations

import pytest

from tests.engine.websockets.raw import frame, raw, said
from tests.engine.websockets.talk import greet, opened, still_serves, until_empty
from tests.engine.websockets.toy import Serving, Toy


@pytest.mark.parametrize(
    ("content", "code"),
    [
        (b"\x83\x80\x00\x00\x00\x00", 1002),  # a reserved opcode
        (b"\xf1\x80\x00\x00\x00\x00", 1002),  # reserved bits
        (b"\x81\x02{}", 1002),  # not masked
        (frame(b"x", 0x80), 1002),  # the continuation of nothing
        (frame(b"x", 0x01) + frame(b"x", 0x81), 1002),  # a message within a message
        (frame(b"x" * 126, 0x89), 1002),  # a ping that is too long
        (frame(b"x", 0x09), 1002),  # a ping in fragments
        (frame(b"\xff\xfe"), 1007),  # not UTF-8
        (frame(b"\xed\xa0\x80"), 1007),  # a lone surrogate
        (b"\x81\xff" + b"\x7f" + b"\xff" * 7 + b"\x00" * 4, 1009),  # nine exabytes
        (frame(b"\x00", 0x88), 1002),  # half a closing code
    ],
)
@pytest.mark.parametrize("more", [b"", frame(b"x" * 60_000) * 5])
async def test_a_broken_frame_is_told_so(
    serving: Serving, standing: Toy, content: bytes, code: int, more: bytes
) -> None:
    """Even with a lot unread behind it, for which a kernel would reset a connection that is closed at once."""
    async with raw(serving) as client:
        client.send(said(type="connection_init"))
        assert await client.hear() == {"type": "connection_ack"}
        client.send(said(type="subscribe", id="1", payload={"query": "subscription { forever }"}))
        await client.hear()
        client.send(content + more)
        assert (await client.ending())[0] == code
    await until_empty(standing)
    async with opened(serving) as socket:
        await greet(socket)
        await still_serves(socket)


async def test_who_sends_too_much_may_send_all_of_it_and_then_read_why(serving: Serving) -> None:
    """A connection that is closed while its client still writes is reset, and the code is lost."""
    async with raw(serving) as client:
        client.writer.transport.set_write_buffer_limits(0)
        size = 6 * 1024 * 1024
        client.send(b"\x81\xff" + size.to_bytes(8, "big") + b"\x00" * 4 + b"x" * size)
        await client.writer.drain()
        assert (await client.ending())[0] == 1009


async def test_a_message_in_fragments_with_a_ping_between_them(serving: Serving) -> None:
    async with raw(serving) as client:
        client.send(frame(b'{"type":"connec', 0x01) + frame(b"?", 0x89) + frame(b'tion_init"}', 0x80))
        assert await client.frame() == (10, b"?")
        assert await client.hear() == {"type": "connection_ack"}


async def test_what_comes_after_a_malformed_message_is_not_heeded(serving: Serving, standing: Toy) -> None:
    before = standing.watch.changes
    async with raw(serving) as client:
        client.send(said(type="connection_init"))
        await client.hear()
        mutation = said(type="subscribe", id="1", payload={"query": "mutation { change }"})
        client.send(frame(b"7") + mutation * 3)
        assert await client.ending() == (4400, "A message is a JSON object")
    await until_empty(standing)
    assert standing.watch.changes == before


async def test_what_came_before_it_is_told_first(serving: Serving) -> None:
    async with raw(serving) as client:
        client.send(said(type="ping", payload={"n": 1}) + said(type="ping", payload={"n": 2}) + frame(b"7"))
        assert await client.hear() == {"type": "pong", "payload": {"n": 1}}
        assert await client.hear() == {"type": "pong", "payload": {"n": 2}}
        assert (await client.ending())[0] == 4400
