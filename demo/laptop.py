"""Jetway whole, on a laptop: the servers it needs, its own programs, the demo's flights, and a sandbox for payments.

Everything it makes lies in JETWAY_HOME and stays there between runs; everything it starts ends with it. What the
environment names is used instead of ours: DATABASE_URL, REDIS_URL, STRIPE_API_KEY with STRIPE_WEBHOOK_SECRET.
"""

from __future__ import annotations

import ctypes
import http
import http.client
import os
import shlex
import signal
import sys
import time
from collections.abc import Mapping
from dataclasses import dataclass
from types import FrameType
from typing import Never

from core.embedded import EmbeddedPostgres, EmbeddedValkey, StartFailed
from core.embedded.exec_bound import PR_SET_PDEATHSIG
from core.embedded.launch import tail
from core.settings import Settings, SettingsError, home, read_port
from demo.console import Console
from demo.home import Home, Refused
from demo.ports import address, is_free, local, next_free
from demo.supervisor import ROOT, GaveUp, Lifeline, Program, Supervisor

READY_SECONDS = 60.0
LOOK_SECONDS = 0.2
BOUND_LOGS_SECONDS = 10.0

PAYPAL_EVENTS = (
    "CHECKOUT.ORDER.APPROVED",
    "PAYMENT.AUTHORIZATION.CREATED",
    "PAYMENT.AUTHORIZATION.VOIDED",
    "PAYMENT.CAPTURE.COMPLETED",
    "PAYMENT.CAPTURE.DENIED",
    "PAYMENT.CAPTURE.REFUNDED",
    "PAYMENT.REFUND.FAILED",
)
"""The same of PayPal's webhook."""

EVENTS = (
    "charge.dispute.created",
    "charge.dispute.funds_withdrawn",
    "payment_intent.amount_capturable_updated",
    "payment_intent.canceled",
    "payment_intent.payment_failed",
    "payment_intent.processing",
    "payment_intent.succeeded",
    "refund.failed",
    "refund.updated",
)
"""What the webhook is told: the events that Jetway acts on, as an endpoint of Stripe's has them enabled."""


@dataclass(frozen=True)
class Place:
    """Where the server answers."""

    host: str
    port: int

    @property
    def url(self) -> str:
        """Its address, as this machine reaches it."""
        return address(self.host, self.port)


def main(environment: Mapping[str, str] = os.environ) -> int:
    """Run until Ctrl-C or SIGTERM; the exit code: 0 when stopped, 1 where Jetway cannot start or go on."""
    console = Console()
    for number in (signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, signal.default_int_handler)
    end_with_make(environment)
    try:
        folder = Home(home(environment))
        folder.take()
    except (Refused, SettingsError) as error:
        console.say(str(error))
        return 1
    try:
        place = choose_place(environment, console)
        folder.announce(place.url)
        return Laptop(environment, console, folder, place).run()
    except (Refused, SettingsError) as error:
        console.say(str(error))
        return 1
    except KeyboardInterrupt:
        return 0
    finally:
        folder.give_back()


class Laptop:
    """One run, from the first server's start to the last one's end. The home is locked by whoever makes it."""

    def __init__(self, environment: Mapping[str, str], console: Console, folder: Home, place: Place) -> None:
        self.console = console
        self.home = folder
        self.place = place
        self.supervisor = Supervisor(console)
        self.lifeline = Lifeline()
        self.environment = environment
        # What our programs are told on top of the environment; grows while the servers start.
        self.variables = {"HOST": place.host, "PORT": str(place.port), "JETWAY_HOME": str(folder.folder)}
        # Whoever sits here is a developer: GraphiQL asks for the schema.
        self.variables["INTROSPECTION"] = environment.get("INTROSPECTION", "").strip() or "on"

    def run(self) -> int:
        """Start everything, keep it running, stop it; the exit code."""
        try:
            self.start()
            self.keep_running()
        except KeyboardInterrupt:
            self.console.say()
            return 0
        except (GaveUp, StartFailed, SettingsError) as error:
            self.console.say(f"\n{error}\n\nLogs: {self.home.logs}")
            return 1
        finally:
            self.stop()

    def start(self) -> None:
        """Every step of a start, each shown with its time."""
        began = time.monotonic()
        self.console.say(f"\nJetway, with its data in {self.home.folder}\n")
        self.variables |= self.secrets() | self.payments()
        self.start_postgres()
        self.start_valkey()
        if "STRIPE_API_BASE" in self.variables:
            self.start_sandbox()
        Settings.from_env({**self.environment, **self.variables})
        with self.console.step("Bringing the tables up to date", "Tables up to date"):
            migration = self.program("alembic", "migrations", "upgrade", "head")
            migration.start()
            migration.finish()
        with self.console.step("Loading the flights of the demo", "Flights loaded", talks=True):
            loader = self.program("demo.loader", "loader")
            loader.start(to_terminal=self.console.is_terminal)
            # They start meanwhile: they need the tables, not what is in them.
            self.keep("Server", "app", "server", vital=True)
            self.keep("Worker", "worker", "worker")
            loader.finish()
        with self.console.step("Starting the server", "Server ready"):
            self.wait_until_ready()
        if self.environment.get("DEMO_REPLAY", "1") != "0":
            self.keep("The replay of real delays", "demo.replay", "replay")
        self.greet(time.monotonic() - began)

    def secrets(self) -> dict[str, str]:
        """The key that signs our tokens: the environment's, or else the one that this home was given."""
        name = "JETWAY_SECRETS"
        return {} if self.environment.get(name, "").strip() else {name: self.home.secrets()[name]}

    def payments(self) -> dict[str, str]:
        """Whom our programs pay through: Stripe itself where the environment has a key, our sandbox otherwise."""
        if self.environment.get("STRIPE_API_KEY", "").strip():
            return {}
        port = self.home.sandbox_port(self.place.host)
        kept = self.home.secrets()
        direct = self.environment.get("no_proxy", self.environment.get("NO_PROXY", ""))
        return {
            # The SDK obeys the machine's proxy settings, and no proxy can reach our sandbox.
            "no_proxy": ",".join(filter(None, (direct, local(self.place.host)))),
            "SANDBOX_PORT": str(port),
            "SANDBOX_HOST": self.place.host,
            "SANDBOX_DATA": str(self.home.folder / "sandbox.db"),
            "SANDBOX_WEBHOOK_URL": f"{self.place.url}/webhooks/stripe",
            "SANDBOX_WEBHOOK_EVENTS": ",".join(EVENTS),
            "SANDBOX_KEY": kept["SANDBOX_KEY"],
            "SANDBOX_WEBHOOK_SECRET": kept["SANDBOX_WEBHOOK_SECRET"],
            **self.paypal(address(self.place.host, port), kept["SANDBOX_KEY"]),
            "STRIPE_API_BASE": address(self.place.host, port),
            "STRIPE_API_KEY": kept["SANDBOX_KEY"],
            "STRIPE_WEBHOOK_SECRET": kept["SANDBOX_WEBHOOK_SECRET"],
        }

    def paypal(self, sandbox: str, secret: str) -> dict[str, str]:
        """The sandbox in PayPal's place."""
        return {
            "SANDBOX_PAYPAL_CLIENT_ID": "paypal_sandbox",
            "SANDBOX_PAYPAL_SECRET": secret,
            "SANDBOX_PAYPAL_WEBHOOK_ID": "WH-SANDBOX",
            "SANDBOX_PAYPAL_WEBHOOK_URL": f"{self.place.url}/webhooks/paypal",
            "SANDBOX_PAYPAL_WEBHOOK_EVENTS": ",".join(PAYPAL_EVENTS),
            "PAYPAL_API_BASE": f"{sandbox}/paypal",
            "PAYPAL_CLIENT_ID": "paypal_sandbox",
            "PAYPAL_SECRET": secret,
            "PAYPAL_WEBHOOK_ID": "WH-SANDBOX",
            "PUBLIC_URL": self.environment.get("PUBLIC_URL", "").strip() or self.place.url,
        }

    def start_postgres(self) -> None:
        """The embedded PostgreSQL, unless the environment names another."""
        if self.environment.get("DATABASE_URL", "").strip():
            return
        postgres = EmbeddedPostgres(self.home.folder / "postgres", log=self.home.log("postgres"))
        with self.console.step("Starting PostgreSQL", "PostgreSQL ready"):
            self.supervisor.keep("PostgreSQL", postgres, vital=True)
        self.variables["DATABASE_URL"] = postgres.url()

    def start_valkey(self) -> None:
        """The embedded Valkey, unless the environment names another, or a Redis."""
        if self.environment.get("REDIS_URL", "").strip():
            return
        valkey = EmbeddedValkey(self.home.folder / "valkey", log=self.home.log("valkey"))
        with self.console.step("Starting Valkey", "Valkey ready"):
            self.supervisor.keep("Valkey", valkey, vital=True)
        self.variables["REDIS_URL"] = valkey.url

    def start_sandbox(self) -> None:
        """The payment sandbox. It is waited for with the server: nothing asks it before."""
        self.keep("The payment sandbox", "sandbox", "sandbox")

    def keep(self, name: str, module: str, log: str, *, vital: bool = False) -> None:
        """Start a module and keep it running."""
        self.supervisor.keep(name, self.program(module, log), vital=vital)

    def program(self, module: str, log: str, *arguments: str) -> Program:
        """`python -m module`, told what it needs."""
        return Program(module, self.home.log(log), self.variables, self.lifeline, self.home.mark, arguments)

    def wait_until_ready(self) -> None:
        """Until the server says that all it needs is there. Raises GaveUp with its answer where that takes too long."""
        deadline = time.monotonic() + READY_SECONDS
        while (answer := readiness(self.place)) != "ready":
            if time.monotonic() > deadline:
                raise GaveUp(f"The server is not ready: {answer}\n{tail(self.home.logs / 'server.log')}")
            self.supervisor.look()
            time.sleep(0.05)

    def greet(self, seconds: float) -> None:
        """Where everything is."""
        url = self.place.url
        lines = {
            "Book a flight": f"{url}/",
            "Departures": f"{url}/#/board/JFK",
            "GraphiQL": f"{url}/graphiql",
            "GraphQL": f"{url}/graphql",
            "Logs": str(self.home.logs),
        }
        self.console.say(f"\n  Ready after {seconds:.1f} s.\n")
        for name, where in lines.items():
            self.console.say(f"  {name:<16}{where}")
        self.console.say("\n  Ctrl-C stops everything. The data stays.\n")

    def keep_running(self) -> Never:
        """Until Ctrl-C."""
        bounded = time.monotonic()
        while True:
            time.sleep(LOOK_SECONDS)
            self.supervisor.look()
            if time.monotonic() - bounded > BOUND_LOGS_SECONDS:
                self.supervisor.bound_logs()
                bounded = time.monotonic()

    def stop(self) -> None:
        """Everything in good order; at once when asked a second time."""
        # Only a second Ctrl-C forces: a terminal that is closed sends both of the others at once.
        signal.signal(signal.SIGINT, self.force)
        for number in (signal.SIGTERM, signal.SIGHUP):
            signal.signal(number, signal.SIG_IGN)
        self.home.stopping(self.place.url)
        with self.console.step("Stopping", "Everything stopped"):
            self.supervisor.stop()

    def force(self, number: int, frame: FrameType | None) -> None:
        """The answer to a second Ctrl-C."""
        self.supervisor.kill()
        self.console.say("\n  Killed. The next start recovers.")
        os._exit(1)


def choose_place(environment: Mapping[str, str], console: Console) -> Place:
    """HOST and PORT, or the next free port where a person agrees to it. Raises Refused."""
    host, port = environment.get("HOST", "").strip() or "127.0.0.1", read_port(environment)
    try:
        if is_free(host, port):
            return Place(host, port)
        other = next_free(host, port)
    except OSError as error:
        raise Refused(f"Nobody can listen on port {port} of {host}: {error.strerror or error}.") from error
    taken = f"Port {port} of {host} is taken."
    if other is None:
        raise Refused(f"{taken} PORT=<number> make run chooses another.")
    if console.is_terminal and sys.stdin.isatty():
        if console.ask(f"{taken} Use {other} instead?"):
            return Place(host, other)
        raise Refused("Nothing was started.")
    raise Refused(f"{taken} The next free one is {other}:\n\n    PORT={other} make -C {shlex.quote(str(ROOT))} run\n")


def readiness(place: Place) -> str:
    """`ready`, or what /readyz says, or that nobody answers."""
    connection = http.client.HTTPConnection(local(place.host), place.port, timeout=5)
    try:
        connection.request("GET", "/readyz")
        response = connection.getresponse()
        body = response.read(2000).decode(errors="replace")
    except (OSError, http.client.HTTPException) as error:
        return f"no answer ({error})"
    finally:
        connection.close()
    return "ready" if response.status == http.HTTPStatus.OK else f"{response.status} {body}"


def end_with_make(environment: Mapping[str, str]) -> None:
    """On Linux, be told to stop when the `make` that started us is killed: it could not tell us itself."""
    if "MAKELEVEL" in environment and sys.platform == "linux":
        ctypes.CDLL(None).prctl(PR_SET_PDEATHSIG, signal.SIGTERM)
