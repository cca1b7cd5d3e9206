"""A WebSocket client of bytes, for what no library sends and for one that does not read."""

from __future__ import annotations

import asyncio
import json
import socket
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Any

from tests.engine.websockets.toy import Serving

HANDSHAKE = (
    b"GET /graphql HTTP/1.1\r\nHost: 127.0.0.1\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
    b"Sec-WebSocket-Key: MDEyMzQ1Njc4OWFiY2RlZg==\r\nSec-WebSocket-Version: 13\r\n"
    b"Sec-WebSocket-Protocol: graphql-transport-ws\r\n\r\n"
)
CLOSE = 8
MASK = b"\x00" * 4


def frame(content: bytes, first: int = 0x81) -> bytes:
    """A masked frame (RFC 6455, section 5.2); by default a whole text."""
    if len(content) < 126:
        return bytes([first, 0x80 | len(content)]) + MASK + content
    return bytes([first, 0xFE]) + len(content).to_bytes(2, "big") + MASK + content


def said(**message: object) -> bytes:
    """A frame with a message."""
    return frame(json.dumps(message).encode())


@dataclass
class Raw:
    """A connection after its handshake."""

    reader: asyncio.StreamReader
    writer: asyncio.StreamWriter

    def send(self, content: bytes) -> None:
        """Send these bytes."""
        self.writer.write(content)

    async def frame(self) -> tuple[int, bytes]:
        """The next frame's opcode and content."""
        first, length = await self.reader.readexactly(2)
        if length >= 126:
            length = int.from_bytes(await self.reader.readexactly(2 if length == 126 else 8), "big")
        return first & 15, await self.reader.readexactly(length)

    async def hear(self) -> Any:
        """The next message."""
        return json.loads((await self.frame())[1])

    async def ending(self) -> tuple[int, str]:
        """How the server closes, whatever it says before."""
        while True:
            opcode, content = await self.frame()
            if opcode == CLOSE:
                return int.from_bytes(content[:2], "big"), content[2:].decode()


@asynccontextmanager
async def raw(serving: Serving, buffer: int | None = None) -> AsyncIterator[Raw]:
    """A connection; `buffer` is how many bytes wait for it in the kernel while it does not read."""
    plain = socket.socket()
    plain.setblocking(False)
    if buffer is not None:
        plain.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, buffer)
    await asyncio.get_running_loop().sock_connect(plain, ("127.0.0.1", serving.port))
    reader, writer = await asyncio.open_connection(sock=plain, limit=4096)
    try:
        writer.write(HANDSHAKE)
        head = await reader.readuntil(b"\r\n\r\n")
        assert head.startswith(b"HTTP/1.1 101")
        yield Raw(reader, writer)
    finally:
        writer.transport.abort()
