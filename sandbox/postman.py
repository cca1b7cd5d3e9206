"""Carries webhooks: a few kept-alive connections to one address, each in a thread of its own.

The standard library's client costs a fifth of the processor time that an async one does, and at several hundred
webhooks a second that is what decides.
"""

import asyncio
import contextlib
import functools
import http.client
import socket
import threading
from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor
from urllib.parse import urlsplit

_PATIENCE = 10.0


class Undelivered(Exception):
    """No answer came; the message says why."""


class Postman:
    """Posts to `url`, at most `parallel` at once."""

    def __init__(self, url: str, parallel: int) -> None:
        parts = urlsplit(url)
        if parts.scheme not in ("http", "https") or not parts.hostname:
            raise ValueError(f"not the address of a web server: {url}")
        kind = http.client.HTTPSConnection if parts.scheme == "https" else http.client.HTTPConnection
        self._connect = functools.partial(kind, parts.hostname, parts.port, timeout=_PATIENCE)
        self._target = (parts.path or "/") + (f"?{parts.query}" if parts.query else "")
        self._pool = ThreadPoolExecutor(parallel, thread_name_prefix="webhook")
        self._own = threading.local()
        self._connections: list[http.client.HTTPConnection] = []

    async def post(self, payload: bytes, headers: Mapping[str, str]) -> int:
        """The HTTP status that the receiver answered; raises Undelivered if it didn't."""
        return await asyncio.get_running_loop().run_in_executor(self._pool, self._post, payload, headers)

    def close(self) -> None:
        """Cut what is on its way, so that nobody waits for a receiver that doesn't answer."""
        self._pool.shutdown(wait=False, cancel_futures=True)
        for connection in self._connections:
            if connection.sock is not None:
                with contextlib.suppress(OSError):  # the receiver may have closed it first
                    connection.sock.shutdown(socket.SHUT_RDWR)

    def _post(self, payload: bytes, headers: Mapping[str, str]) -> int:
        connection = self._connection()
        kept = connection.sock is not None
        try:
            return self._exchange(connection, payload, headers)
        except (OSError, http.client.HTTPException) as error:
            if not kept:
                raise Undelivered(f"{type(error).__name__}: {error}") from error
        # A kept connection may have been closed while it was idle, which says nothing about the receiver.
        try:
            return self._exchange(connection, payload, headers)
        except (OSError, http.client.HTTPException) as error:
            raise Undelivered(f"{type(error).__name__}: {error}") from error

    def _exchange(self, connection: http.client.HTTPConnection, payload: bytes, headers: Mapping[str, str]) -> int:
        try:
            connection.request("POST", self._target, payload, headers)
            response = connection.getresponse()
            response.read()
        except (OSError, http.client.HTTPException):
            connection.close()
            raise
        return response.status

    def _connection(self) -> http.client.HTTPConnection:
        if not hasattr(self._own, "connection"):
            self._own.connection = self._connect()
            self._connections.append(self._own.connection)
        connection: http.client.HTTPConnection = self._own.connection
        return connection
