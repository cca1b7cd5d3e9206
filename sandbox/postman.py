"""Carries webhooks: kept-alive connections to one address.

The standard library's client in a thread costs three times the processor time, and a library's asynchronous one more
than that. Of HTTP it needs little: it writes one POST at a time and looks at the status of what comes back, which
httptools parses, as it does for uvicorn.
"""

import asyncio
from collections.abc import Mapping
from typing import cast
from urllib.parse import urlsplit

import httptools

_PATIENCE = 10.0


class Undelivered(Exception):
    """No answer came; the message says why."""


class Postman:
    """Posts to `url`; has as many connections as there are posts at once."""

    def __init__(self, url: str) -> None:
        parts = urlsplit(url)
        if parts.scheme not in ("http", "https") or not parts.hostname:
            raise ValueError(f"not the address of a web server: {url}")
        secure = parts.scheme == "https"
        self._place = parts.hostname, parts.port or (443 if secure else 80)
        self._secure = secure
        target = (parts.path or "/") + (f"?{parts.query}" if parts.query else "")
        self._head = f"POST {target} HTTP/1.1\r\nHost: {parts.netloc.rpartition('@')[2]}\r\n"
        self._idle: list[_Line] = []
        self._busy: set[_Line] = set()

    async def post(self, payload: bytes, headers: Mapping[str, str]) -> int:
        """The HTTP status that the receiver answered; raises Undelivered if it didn't."""
        fields = "".join(f"{name}: {value}\r\n" for name, value in headers.items())
        letter = f"{self._head}{fields}Content-Length: {len(payload)}\r\n\r\n".encode() + payload
        try:
            async with asyncio.timeout(_PATIENCE):
                while self._idle:
                    try:
                        return await self._exchange(self._idle.pop(), letter)
                    except ConnectionError:
                        # It may have been closed while it was idle, which says nothing about the receiver.
                        continue
                return await self._exchange(await self._connected(), letter)
        except OSError as error:  # a TimeoutError, too
            raise Undelivered(f"{type(error).__name__}: {error}") from error

    def close(self) -> None:
        """Cut what is on its way, so that nobody waits for a receiver that doesn't answer."""
        for line in (*self._idle, *self._busy):
            line.cut()

    async def _connected(self) -> "_Line":
        secure = True if self._secure else None
        _, line = await asyncio.get_running_loop().create_connection(_Line, *self._place, ssl=secure)
        return line

    async def _exchange(self, line: "_Line", letter: bytes) -> int:
        self._busy.add(line)
        try:
            status = await line.exchange(letter)
        except BaseException:
            line.cut()
            raise
        finally:
            self._busy.discard(line)
        if line.is_good:
            self._idle.append(line)
        return status


class _Line(asyncio.Protocol):
    """One connection, which carries one letter at a time."""

    def __init__(self) -> None:
        self.is_good = True
        """Whether it can carry another."""
        self._transport: asyncio.Transport
        self._parser: httptools.HttpResponseParser
        self._answer: asyncio.Future[int] | None = None
        self._status = 0

    async def exchange(self, letter: bytes) -> int:
        """The status of the answer to a letter. Raises ConnectionError where the connection ends without one."""
        if not self.is_good:
            raise ConnectionResetError("the connection was closed")
        self._parser = httptools.HttpResponseParser(self)
        self._status = 0
        self._answer = asyncio.get_running_loop().create_future()
        self._transport.write(letter)
        try:
            return await self._answer
        finally:
            self._answer = None

    def cut(self) -> None:
        """End it at once."""
        self.is_good = False
        self._transport.abort()

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """It is there."""
        self._transport = cast("asyncio.Transport", transport)

    def data_received(self, data: bytes) -> None:
        """A part of an answer has come; anything else ends the connection."""
        try:
            if self._answer is not None:
                self._parser.feed_data(data)
                return
        except httptools.HttpParserError as error:
            self._end(ConnectionAbortedError(f"no HTTP: {error}"))
        self.cut()

    def connection_lost(self, error: Exception | None) -> None:
        """It has ended: what was answered without telling a length is complete."""
        self.is_good = False
        if self._status >= 200:
            self._end(self._status)
        else:
            self._end(error if isinstance(error, OSError) else ConnectionResetError("closed without an answer"))

    def on_headers_complete(self) -> None:
        """The parser knows the status."""
        self._status = self._parser.get_status_code()

    def on_message_complete(self) -> None:
        """The parser has seen all of an answer; those below 200 announce another."""
        if self._status >= 200:
            self.is_good = self._parser.should_keep_alive()
            self._end(self._status)

    def _end(self, outcome: int | OSError) -> None:
        if self._answer is None or self._answer.done():
            return
        if isinstance(outcome, int):
            self._answer.set_result(outcome)
        else:
            self._answer.set_exception(outcome)
