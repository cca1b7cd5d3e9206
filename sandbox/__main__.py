"""`python -m sandbox`: serve until told to stop, or until the parent process is gone."""

import os
import socket
import sys
import threading

import uvicorn

from sandbox.app import build
from sandbox.settings import Settings, read
from sandbox.store import Store

_LIFELINE = "JETWAY_LIFELINE"
_GRACE_SECONDS = 2


class _Server(uvicorn.Server):
    """Says where it serves, on stdout, once it does."""

    def __init__(self, config: uvicorn.Config, address: str) -> None:
        super().__init__(config)
        self._address = address

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        """Start, then print the one line that whoever started this waits for."""
        await super().startup(sockets)
        print(f"sandbox ready {self._address}", flush=True)


def main() -> None:
    """Run the sandbox; returns after a clean stop."""
    settings = read()
    store = Store(settings.data)
    listener = _listen(settings)
    config = uvicorn.Config(
        build(settings, store),
        log_level="warning",
        access_log=False,
        lifespan="on",
        timeout_graceful_shutdown=_GRACE_SECONDS,
        server_header=False,
    )
    host, port = listener.getsockname()[:2]
    server = _Server(config, f"http://{f'[{host}]' if ':' in host else host}:{port}")
    if (lifeline := os.environ.get(_LIFELINE)) is not None:
        threading.Thread(target=_hold, args=(int(lifeline), server), daemon=True).start()
    server.run(sockets=[listener])
    store.close()


def _listen(settings: Settings) -> socket.socket:
    family = socket.AF_INET6 if ":" in settings.host else socket.AF_INET
    listener = socket.socket(family, socket.SOCK_STREAM)
    listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        listener.bind((settings.host, settings.port))
    except OSError as error:
        sys.exit(f"sandbox: cannot listen on {settings.host}:{settings.port}: {error.strerror}")
    return listener


def _hold(fd: int, server: uvicorn.Server) -> None:
    """Wait for the end of the parent's pipe, which comes when the parent closes it or dies."""
    while os.read(fd, 1):
        pass
    server.should_exit = True


if __name__ == "__main__":
    main()
