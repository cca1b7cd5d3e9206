"""A counter that sells, a gateway that takes the money, and what changes a booking."""

from __future__ import annotations

import pytest

from services.gateways import Gateways
from tests.factories.amendments import Changes
from tests.factories.bookings import Desk
from tests.services.bookings.conftest import desk

__all__ = ["desk"]


@pytest.fixture
def days_ahead() -> int:
    """Five: too soon for the 24-hour rule."""
    return 5


@pytest.fixture
def changes(desk: Desk, gateways: Gateways) -> Changes:
    """What changes bookings of that counter."""
    return Changes(desk, gateways)
