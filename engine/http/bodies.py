"""The body of a POST: read, and unpacked, never further than its bounds.

Content codings: gzip (RFC 1952, one member) and zstd (RFC 8878, one frame, with a window of at most 8 MiB as RFC 9659
has it).
"""

from __future__ import annotations

import asyncio
import sys
import zlib
from collections.abc import Awaitable, Callable, Generator, Mapping
from types import CoroutineType, coroutine
from typing import Any

from starlette.requests import ClientDisconnect
from starlette.types import Message, Receive

from engine.http.negotiation import is_utf8
from engine.http.options import Options
from engine.refusals import NotServed, malformed, too_large

if sys.version_info >= (3, 14):
    from compression import zstd
else:
    from backports import zstd

GZIP = 31
"""zlib's window bits for a gzip header and trailer."""

ZSTD: Mapping[int, int] = {zstd.DecompressionParameter.window_log_max: 23}


async def body(headers: Mapping[bytes, bytes], receive: Receive, options: Options) -> bytes:
    """The JSON text of a POST. Raises NotServed 400, 408, 413 or 415, and ClientDisconnect."""
    kind = headers.get(b"content-type", b"")
    if kind != b"application/json" and not is_json(kind.decode("latin-1")):
        raise NotServed(415, "Send application/json in UTF-8.", {"Accept": "application/json"})
    coding = headers.get(b"content-encoding")
    unpack = UNPACK[b"identity"] if coding is None else UNPACK.get(coding.strip().lower())
    if unpack is None:
        raise NotServed(415, "Send the body packed with gzip or zstd, or as it is.", {"Accept-Encoding": "gzip, zstd"})
    announced = headers.get(b"content-length", b"0")
    if not announced.isdigit() or len(announced) > 15 or int(announced) > options.body_bytes:
        raise too_large(options.body_bytes)
    return unpack(await received(receive, options), options.unpacked_bytes)


def is_json(content_type: str) -> bool:
    """Whether a Content-Type is JSON in UTF-8, which is what is assumed where it names no charset."""
    kind, *parameters = content_type.split(";")
    pairs = [parameter.partition("=") for parameter in parameters]
    charsets = [text for name, _, text in pairs if name.strip().lower() == "charset"]
    return kind.strip().lower() == "application/json" and all(map(is_utf8, charsets))


async def received(receive: Receive, options: Options) -> bytes:
    """All that comes. Raises NotServed 408 or 413 as soon as it is too late or too much, and ClientDisconnect.

    Nearly every body is there already, whole, and the clock is not started for it: that would cost as much as all else
    that is done here.
    """
    coming = receive()
    if not isinstance(coming, CoroutineType):
        return await in_time(coming, receive, options)
    try:
        waiting = coming.send(None)
    except StopIteration as done:
        message: Message = done.value
        if message.get("more_body", False) or message["type"] == "http.disconnect":
            return await in_time(told(message), receive, options)
        content: bytes = message.get("body", b"")
        if len(content) > options.body_bytes:
            raise too_large(options.body_bytes) from None
        return content
    return await in_time(going_on(coming, waiting), receive, options)


@coroutine
def going_on(begun: Any, waiting: Any) -> Generator[Any, Any, Message]:
    """The message of a coroutine that was begun and waits for this."""
    try:
        yield waiting
    except BaseException:
        begun.close()
        raise
    message: Message = yield from begun
    return message


async def told(message: Message) -> Message:
    """A message that has come, as something to await."""
    return message


async def in_time(coming: Awaitable[Message], receive: Receive, options: Options) -> bytes:
    """The body that begins with the message that is coming. Raises as `received` does."""
    content = bytearray()
    try:
        async with asyncio.timeout(options.body_seconds):
            message = await coming
            while True:
                if message["type"] == "http.disconnect":
                    raise ClientDisconnect
                content += message.get("body", b"")
                if len(content) > options.body_bytes:
                    raise too_large(options.body_bytes)
                if not message.get("more_body", False):
                    return bytes(content)
                message = await receive()
    except TimeoutError as error:
        late = f"The body took longer than {options.body_seconds:g} s."
        raise NotServed(408, late, {"Connection": "close"}) from error


def as_it_is(content: bytes, limit: int) -> bytes:
    """A body that was not packed."""
    if len(content) > limit:
        raise too_large(limit)
    return content


def gunzipped(content: bytes, limit: int) -> bytes:
    """A body packed with gzip. Raises NotServed 400 or 413."""
    reader = zlib.decompressobj(wbits=GZIP)
    try:
        unpacked = reader.decompress(content, limit + 1)
    except zlib.error as error:
        raise malformed("The body is not gzip.") from error
    return whole(unpacked, limit, ended=reader.eof and not reader.unused_data)


def unzstd(content: bytes, limit: int) -> bytes:
    """A body packed with zstd. Raises NotServed 400 or 413."""
    reader = zstd.ZstdDecompressor(options=ZSTD)
    try:
        unpacked = reader.decompress(content, limit + 1)
    except zstd.ZstdError as error:
        raise malformed("The body is not zstd with a window of at most 8 MiB.") from error
    return whole(unpacked, limit, ended=reader.eof and not reader.unused_data)


def whole(unpacked: bytes, limit: int, *, ended: bool) -> bytes:
    """What was unpacked, if it is all there, nothing follows, and it is not too much. Raises NotServed 400 or 413."""
    if len(unpacked) > limit:
        raise too_large(limit)
    if not ended:
        raise malformed("The packed body is cut short, or something follows it.")
    return unpacked


UNPACK: dict[bytes, Callable[[bytes, int], bytes]] = {
    b"identity": as_it_is,
    b"gzip": gunzipped,
    b"x-gzip": gunzipped,
    b"zstd": unzstd,
}
