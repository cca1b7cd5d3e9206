"""A counter that sells, and a gateway that takes the money."""

from __future__ import annotations

from tests.services.bookings.conftest import desk

__all__ = ["desk"]
