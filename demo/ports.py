"""Which TCP ports are free on this machine."""

from __future__ import annotations

import errno
import socket


def is_free(host: str, port: int) -> bool:
    """Whether a server may listen on `port` of `host`. Raises OSError where that can never be, whoever asks."""
    family, kind, protocol, _, address = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)[0]
    with socket.socket(family, kind, protocol) as server:
        # As the server itself does: connections of its last run that are still closing don't count.
        server.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            server.bind(address)
        except OSError as error:
            if error.errno == errno.EADDRINUSE:
                return False
            raise
    return not listens(host, port)


def listens(host: str, port: int) -> bool:
    """Whether somebody answers there. (macOS lets 127.0.0.1 be bound beside a server that listens on all addresses.)"""
    try:
        with socket.create_connection((local(host), port), timeout=1):
            return True
    except OSError:
        return False


def next_free(host: str, port: int) -> int | None:
    """The first free port above `port`."""
    return next((other for other in range(port + 1, min(port + 100, 65536)) if is_free(host, other)), None)


def random_free(host: str) -> int:
    """A port that the system says is free."""
    family, kind, protocol, _, address = socket.getaddrinfo(host, 0, type=socket.SOCK_STREAM)[0]
    with socket.socket(family, kind, protocol) as server:
        server.bind(address)
        return int(server.getsockname()[1])


def local(host: str) -> str:
    """The address by which this machine itself reaches a server that listens on `host`."""
    return {"0.0.0.0": "127.0.0.1", "::": "::1", "": "127.0.0.1"}.get(host, host)  # noqa: S104 - compared, not bound


def address(host: str, port: int) -> str:
    """`http://host:port` as this machine reaches it."""
    name = local(host)
    return f"http://[{name}]:{port}" if ":" in name else f"http://{name}:{port}"
