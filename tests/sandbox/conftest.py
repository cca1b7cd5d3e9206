"""A sandbox as a real process on a free port, a real webhook receiver, and the official SDK as the client."""

import os
import signal
import subprocess
import sys
from collections.abc import AsyncIterator, Callable, Iterator
from pathlib import Path

import httpx
import pytest
import stripe

from tests.sandbox.receiver import Receiver

KEY, SECRET = "sk_test_jetway", "whsec_jetway"
ROOT = Path(__file__).parents[2]


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """The SDK sends bodies in a way that httpx deprecates; that warning is not ours to heal."""
    for item in items:
        if Path(__file__).parent in item.path.parents:
            item.add_marker(pytest.mark.filterwarnings("ignore:Use 'content=:DeprecationWarning"))


class Process:
    """A running sandbox: where it serves, and how it ends."""

    def __init__(self, data: Path, webhook_url: str, *, port: int = 0, env: dict[str, str] | None = None,
                 pass_fds: tuple[int, ...] = ()) -> None:  # fmt: skip
        flags = {"--port": str(port), "--data": str(data), "--webhook-url": webhook_url, "--webhook-secret": SECRET}
        command = [sys.executable, "-m", "sandbox", *(word for pair in flags.items() for word in pair), "--key", KEY]
        self._process = subprocess.Popen(
            [*command, "--settle-seconds", "3600"],
            cwd=ROOT,
            env=os.environ | (env or {}),
            stdout=subprocess.PIPE,
            text=True,
            pass_fds=pass_fds,
        )
        assert self._process.stdout is not None
        line = self._process.stdout.readline().split()
        assert line[:2] == ["sandbox", "ready"]
        self.url = line[2]

    def kill(self) -> None:
        """kill -9: no chance to tidy up."""
        self._process.send_signal(signal.SIGKILL)
        self.wait()

    def stop(self) -> int:
        """Ask it to stop; returns its exit status."""
        self._process.terminate()
        return self.wait()

    def wait(self) -> int:
        """Its exit status, once it has ended."""
        status = self._process.wait(10)
        if self._process.stdout is not None:
            self._process.stdout.close()
        return status


@pytest.fixture(scope="session")
def receiver() -> Iterator[Receiver]:
    receiver = Receiver(SECRET)
    yield receiver
    receiver.close()


@pytest.fixture(scope="session")
def sandbox(receiver: Receiver, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Process]:
    """One sandbox for every test that doesn't hurt it."""
    process = Process(tmp_path_factory.mktemp("sandbox") / "money.db", receiver.url)
    yield process
    process.stop()


@pytest.fixture
def start(receiver: Receiver, tmp_path: Path) -> Iterator[Callable[..., Process]]:
    """Start a sandbox of the test's own, over one file; what still runs at the end is stopped."""
    started: list[Process] = []

    def starter(webhook_url: str = receiver.url, **options: object) -> Process:
        started.append(Process(tmp_path / "money.db", webhook_url, **options))  # type: ignore[arg-type]
        return started[-1]

    yield starter
    for process in started:
        process.stop()


@pytest.fixture
async def connect() -> AsyncIterator[Callable[..., stripe.StripeClient]]:
    """Make SDK clients that are closed after the test."""
    clients: list[stripe.HTTPXClient] = []

    def connector(url: str, *, retries: int = 0, timeout: float = 5, key: str = KEY) -> stripe.StripeClient:
        clients.append(stripe.HTTPXClient(timeout=timeout))
        return stripe.StripeClient(
            key, base_addresses={"api": url}, http_client=clients[-1], max_network_retries=retries
        )

    yield connector
    for client in clients:
        await client.close_async()  # type: ignore[no-untyped-call]


@pytest.fixture
def pay(sandbox: Process, connect: Callable[..., stripe.StripeClient]) -> stripe.StripeClient:
    """The SDK, without retries, at the shared sandbox."""
    return connect(sandbox.url)


@pytest.fixture
async def http(sandbox: Process) -> AsyncIterator[httpx.AsyncClient]:
    """Plain HTTP at the shared sandbox, with the secret key."""
    headers = {"Authorization": f"Bearer {KEY}"}
    async with httpx.AsyncClient(base_url=sandbox.url, headers=headers, timeout=5, trust_env=False) as client:
        yield client
