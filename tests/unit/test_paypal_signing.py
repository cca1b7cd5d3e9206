"""Whoever makes up webhooks of PayPal's has Jetway ask nobody, or seldom."""

from __future__ import annotations

import asyncio
import base64
from datetime import UTC, datetime, timedelta

import pytest

from core import clock
from core.errors import DomainError, Forbidden
from services.gateways import GatewayUnavailable
from services.gateways.paypal_line import Line
from services.gateways.paypal_signing import MOST_FAILURES, Seal

BASE = "https://api-m.sandbox.paypal.com"
START = datetime(2026, 12, 1, 9, tzinfo=UTC)


class Deaf(Line):
    """A line that has no certificate, and keeps what it was asked for and how many asked at once."""

    def __init__(self, document: bytes | None = None) -> None:
        super().__init__("client", "secret", BASE)
        self.asked: list[str] = []
        self.at_once = self.most_at_once = 0
        self._document = document

    async def document(self, url: str) -> bytes:
        self.asked.append(url)
        self.at_once += 1
        self.most_at_once = max(self.most_at_once, self.at_once)
        await asyncio.sleep(0)
        self.at_once -= 1
        if self._document is None:
            raise GatewayUnavailable("nobody there")
        return self._document


@pytest.fixture
def now(monkeypatch: pytest.MonkeyPatch) -> list[datetime]:
    """The moment, which a test may change."""
    moment = [START]
    monkeypatch.setattr(clock, "now", lambda: moment[0])
    return moment


def headers(name: str = "C1", **change: str) -> dict[str, str]:
    """What looks like PayPal's headers, until somebody asks for the certificate."""
    made = {
        "paypal-transmission-id": "b3ac3a60-3c38-11f0-8e3c-3b1b3b1b3b1b",
        "paypal-transmission-time": clock.now().isoformat(),
        "paypal-transmission-sig": base64.b64encode(b"x" * 256).decode(),
        "paypal-cert-url": f"https://api.paypal.com/v1/notifications/certs/{name}",
    }
    return made | {f"paypal-{key.replace('_', '-')}": value for key, value in change.items()}


async def refusal(seal: Seal, sent: dict[str, str]) -> type[DomainError]:
    with pytest.raises(DomainError) as refused:
        await seal.check(b"{}", sent)
    return refused.type


@pytest.mark.parametrize(
    "wrong",
    [
        {"cert_url": "https://[/v1/notifications/certs/C1"},
        {"cert_url": "https://api.paypal.com:0x/v1/notifications/certs/C1"},
        {"cert_url": "https://api.paypal.com/v1/notifications/certs/C1?x=/C1"},
        {"cert_url": f"https://api.paypal.com/v1/notifications/certs/{'C' * 101}"},
        {"cert_url": "https://api.paypal.com/v1/notifications/certs/"},
        {"cert_url": "https://api.paypal.com.example.org/v1/notifications/certs/C1"},
        {"transmission_id": ""},
        {"transmission_id": "a|b"},
        {"transmission_sig": ""},
        {"transmission_sig": "é"},
        {"transmission_sig": base64.b64encode(b"x" * 255).decode()},
        {"transmission_time": ""},
    ],
)
@pytest.mark.usefixtures("now")
async def test_what_has_not_the_shape_is_refused_and_nobody_is_asked(wrong: dict[str, str]) -> None:
    line = Deaf()
    assert await refusal(Seal(line, "WH", BASE), headers(**wrong)) is Forbidden
    assert line.asked == []


async def test_a_certificate_that_is_not_there_is_asked_for_once_a_minute(now: list[datetime]) -> None:
    line = Deaf()
    seal = Seal(line, "WH", BASE)
    for seconds, asked in ((0, 1), (30, 1), (59, 1), (60, 2), (61, 2)):
        now[0] = START + timedelta(seconds=seconds)
        assert await refusal(seal, headers()) is GatewayUnavailable
        assert len(line.asked) == asked


@pytest.mark.usefixtures("now")
async def test_what_is_no_certificate_is_not_asked_for_again() -> None:
    line = Deaf(b"<html>")
    seal = Seal(line, "WH", BASE)
    assert [await refusal(seal, headers()) for _ in range(2)] == [Forbidden, GatewayUnavailable]
    assert len(line.asked) == 1


async def test_made_up_names_are_asked_for_one_at_a_time_and_so_many_a_minute(now: list[datetime]) -> None:
    line = Deaf()
    seal = Seal(line, "WH", BASE)
    made_up = [headers(f"C{number}") for number in range(3 * MOST_FAILURES)]
    found = await asyncio.gather(*(refusal(seal, one) for one in made_up))
    assert (set(found), len(line.asked), line.most_at_once) == ({GatewayUnavailable}, MOST_FAILURES, 1)
    now[0] = START + timedelta(minutes=1)
    await refusal(seal, headers("another"))
    assert len(line.asked) == MOST_FAILURES + 1
