"""The payment sandbox as a real process, with what tests do to it: answer 3-D Secure, order faults, read its books."""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
from collections.abc import AsyncIterator, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx
import pytest

from services.gateways import Gateways, PayPal, Stripe
from tests.fakes.waiting import eventually

ROOT = Path(__file__).parents[2]
KEY, SECRET = "sk_test_jetway", "whsec_jetway"


@dataclass(frozen=True)
class Sandbox:
    """A running sandbox."""

    url: str

    async def ask(self, method: str, path: str, json: dict[str, Any] | None = None) -> dict[str, Any]:
        """One call of its API or its controls, with the secret key."""
        headers = {"Authorization": f"Bearer {KEY}"}
        async with httpx.AsyncClient(base_url=self.url, headers=headers, timeout=5, trust_env=False) as client:
            answer = await client.request(method, path, json=json)
        answer.raise_for_status()
        body: dict[str, Any] = answer.json()
        return body

    async def send(self, path: str, **form: str) -> dict[str, Any]:
        """Have something made by its API, beside Jetway; its form's fields."""
        headers = {"Authorization": f"Bearer {KEY}"}
        async with httpx.AsyncClient(base_url=self.url, headers=headers, timeout=5, trust_env=False) as client:
            answer = await client.post(path, data=form)
        answer.raise_for_status()
        body: dict[str, Any] = answer.json()
        return body

    async def method(self, type: str) -> str:
        """A payment method of a type that has no test token, as the payer's browser makes it."""
        return str((await self.send("/v1/payment_methods", type=type))["id"])

    async def fault(self, kind: str, path: str, **more: Any) -> None:
        """Have a request to `path` (a pattern) go wrong once."""
        await self.ask("POST", "/sandbox/faults", {"kind": kind, "path": path, **more})

    async def heal(self) -> None:
        """Call every fault off."""
        await self.ask("DELETE", "/sandbox/faults")

    async def intents(self, booking_id: object) -> list[dict[str, Any]]:
        """Every PaymentIntent that was made for a booking, the newest first."""
        listed = await self.ask("GET", "/v1/payment_intents?limit=100")
        return [one for one in listed["data"] if one["metadata"].get("booking") == str(booking_id)]

    async def events(self, kind: str, intent_id: str) -> list[dict[str, Any]]:
        """The events of one type about an intent, as webhooks carry them."""
        listed = await self.ask("GET", f"/v1/events?limit=100&type={kind}")
        about = [(one, one["data"]["object"]) for one in listed["data"]]
        return [event for event, body in about if intent_id in (body["id"], body.get("payment_intent"))]

    async def agree(self, page: str, outcome: str = "approve") -> str:
        """Do what the payer does on PayPal's page, see `docs/sandbox.md`; the address that they are sent back to."""
        async with httpx.AsyncClient(timeout=5, trust_env=False) as client:
            answer = await client.post(page, data={"outcome": outcome})
        assert answer.status_code == 303, answer.text
        return answer.headers["location"]

    async def orders(self, booking_id: object) -> list[dict[str, Any]]:
        """Every order that was made at PayPal for a booking, as the sandbox keeps it, the newest first."""
        listed = await self.ask("GET", "/sandbox/orders")
        return [one for one in listed["data"] if one["purchase_units"][0]["reference_id"] == str(booking_id)]

    async def answer_challenge(self, redirect_url: str, outcome: str) -> None:
        """Do what the payer does on their bank's page: `complete` or `fail`."""
        async with httpx.AsyncClient(timeout=5, trust_env=False) as client:
            page = await client.post(redirect_url, data={"outcome": outcome})
        page.raise_for_status()

    async def settle(self) -> None:
        """Let the banks do what takes them an hour; for a sandbox of one's own."""
        await self.ask("POST", "/sandbox/clock", {"advance": 3600})

        async def settled() -> bool:
            due: int = (await self.ask("GET", "/sandbox/health"))["due_timers"]
            return due == 0

        await eventually(settled)


@contextmanager
def started(*more: str) -> Iterator[Sandbox]:
    """A sandbox of one's own, for whoever moves its clock; `more` are flags."""
    with tempfile.TemporaryDirectory(prefix="sandbox-") as folder:
        flags = ["--port", "0", "--data", f"{folder}/money.db", "--key", KEY, "--settle-seconds", "3600"]
        process = subprocess.Popen(
            [sys.executable, "-m", "sandbox", *flags, *more],
            cwd=ROOT,
            env=dict(os.environ),
            stdout=subprocess.PIPE,
            text=True,
        )
        assert process.stdout is not None
        try:
            yield Sandbox(url=process.stdout.readline().split()[2])
        finally:
            process.terminate()
            process.wait(10)
            process.stdout.close()


def paypal_at(sandbox: Sandbox) -> PayPal:
    """The real PayPal, at a sandbox; its payers come back to addresses that nobody answers."""
    return PayPal(
        *("paypal_sandbox", "paypal_sandbox_secret", "WH-SANDBOX"),
        f"{sandbox.url}/paypal",
        returned=lambda payment_id: f"https://jetway.example/payments/returned/{payment_id}",
        turned_back=lambda payment_id: f"https://jetway.example/payments/turned-back/{payment_id}",
    )


def connected(sandbox: Sandbox) -> Gateways:
    """The real gateways, at a sandbox."""
    return Gateways([Stripe(KEY, SECRET, sandbox.url), paypal_at(sandbox)])


@pytest.fixture(scope="session")
def sandbox() -> Iterator[Sandbox]:
    """One sandbox per test process. Bookings keep tests apart; whoever orders a fault calls it off."""
    with started() as running:
        yield running


@pytest.fixture
async def gateways(sandbox: Sandbox) -> AsyncIterator[Gateways]:
    """The real gateway, at the shared sandbox."""
    registry = connected(sandbox)
    yield registry
    await registry.close()
    await sandbox.heal()
