"""By which proxy Stripe is reached."""

from __future__ import annotations

import pytest

from services.gateways.stripe_line import proxy_for


def test_the_proxy_of_the_environment_is_taken_unless_the_address_is_an_exception(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    for name in ("http_proxy", "HTTP_PROXY", "no_proxy", "NO_PROXY"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("https_proxy", "http://proxy.example:3128")
    monkeypatch.setenv("no_proxy", "internal.example")
    assert proxy_for("https://api.stripe.com") == "http://proxy.example:3128"
    assert proxy_for("https://internal.example") is None
    assert proxy_for("http://127.0.0.1:9000") is None
