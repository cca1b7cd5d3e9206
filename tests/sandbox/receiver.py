"""A webhook receiver on a free port: verifies every signature, remembers every delivery, refuses on demand."""

import threading
import time
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import stripe


class Receiver:
    """`refuse` (a status) makes it answer that to everything instead of 200. Unverified deliveries are kept apart."""

    def __init__(self, secret: str) -> None:
        self.refuse: int | None = None
        self.forged: list[bytes] = []
        self._events: list[stripe.Event] = []
        self._refused: list[stripe.Event] = []
        self._changed = threading.Condition()
        receiver = self

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def do_POST(self) -> None:
                payload = self.rfile.read(int(self.headers["Content-Length"]))
                try:
                    event = stripe.Webhook.construct_event(payload, self.headers["Stripe-Signature"], secret)
                except stripe.SignatureVerificationError:
                    receiver.forged.append(payload)
                    status = 400
                else:
                    status = receiver._take(event)
                self.send_response(status)
                self.send_header("Content-Length", "0")
                self.end_headers()

            def log_request(self, code: int | str = "-", size: int | str = "-") -> None:
                """Stay silent."""

        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self._server.daemon_threads = True
        self.url = f"http://127.0.0.1:{self._server.server_port}/webhooks"
        self._thread = threading.Thread(target=self._server.serve_forever, daemon=True)
        self._thread.start()

    def close(self) -> None:
        """Stop listening."""
        self._server.shutdown()
        self._server.server_close()

    def about(self, object_id: str) -> list[str]:
        """Types of the events accepted about an object or its intent, in order of arrival."""
        with self._changed:
            return [event.type for event in self._events if _concerns(event, object_id)]

    def wait(self, object_id: str, type: str, *, times: int = 1) -> list[stripe.Event]:
        """The accepted events of a type about an object, once there are that many; fails after ten seconds."""
        return self._wait(self._events, object_id, type, times)

    def wait_refused(self, object_id: str, type: str, *, times: int = 1) -> list[stripe.Event]:
        """The same for deliveries that were refused."""
        return self._wait(self._refused, object_id, type, times)

    def _wait(self, events: list[stripe.Event], object_id: str, type: str, times: int) -> list[stripe.Event]:
        deadline = time.monotonic() + 10
        with self._changed:
            while True:
                found = [event for event in events if event.type == type and _concerns(event, object_id)]
                if len(found) >= times:
                    return found
                if not self._changed.wait(deadline - time.monotonic()):
                    raise AssertionError(f"{len(found)} of {times} {type} about {object_id}")

    def _take(self, event: stripe.Event) -> int:
        with self._changed:
            (self._refused if self.refuse else self._events).append(event)
            self._changed.notify_all()
            return self.refuse or 200


def _concerns(event: stripe.Event, object_id: str) -> bool:
    about = event.data.object.to_dict() if hasattr(event.data.object, "to_dict") else event.data.object
    return object_id in (about["id"], about.get("payment_intent"))
