"""Takes whatever is posted to it, with its headers, and hands it over in order of arrival."""

from __future__ import annotations

import queue
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

Letter = tuple[bytes, dict[str, str]]
"""A body and its headers, their names in lower case."""


class Mailbox:
    """An HTTP server on a free port that answers 200 to every POST."""

    def __init__(self) -> None:
        self._letters: queue.Queue[Letter] = queue.Queue()
        mailbox = self

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def do_POST(self) -> None:
                body = self.rfile.read(int(self.headers["Content-Length"]))
                mailbox._letters.put((body, {name.lower(): value for name, value in self.headers.items()}))
                self.send_response(200)
                self.send_header("Content-Length", "0")
                self.end_headers()

            def log_request(self, code: int | str = "-", size: int | str = "-") -> None:
                """Stay silent."""

        self.server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.server.daemon_threads = True
        self.url = f"http://127.0.0.1:{self.server.server_port}/"

    def next(self) -> Letter:
        """The next letter; waits for it, half a minute at most."""
        return self._letters.get(timeout=30)


@contextmanager
def mailbox() -> Iterator[Mailbox]:
    """A mailbox that is open for as long as the block lasts."""
    opened = Mailbox()
    thread = threading.Thread(target=opened.server.serve_forever, daemon=True)
    thread.start()
    try:
        yield opened
    finally:
        opened.server.shutdown()
        opened.server.server_close()
        thread.join()
