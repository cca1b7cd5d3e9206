"""Extras for tests: a small catalogue of United's, with some stock on the schedule's first flight."""

from __future__ import annotations

from typing import Any

from core.db import Database
from models import STOCK, ExtraKind, ExtraScope
from services import extras
from services.extras import DefineExtra, ExtraChoice
from services.transitions import Cause
from tests.factories.places import counts
from tests.factories.schedules import Schedule

STAFF = Cause(actor="staff", reason="a test's catalogue")
MEAL, BAG, PRIORITY, INSURANCE = "MEAL-VGML", "BAG-23", "PRIORITY", "INSURANCE"
PRICES = {MEAL: 12_00, BAG: 35_00, PRIORITY: 15_00, INSURANCE: 19_00}

CATALOGUE: dict[str, dict[str, Any]] = {
    BAG: {"kind": ExtraKind.BAG, "name": "Checked bag, 23 kg", "max_per_passenger": 3, "closes_hours": 3},
    MEAL: {"kind": ExtraKind.MEAL, "name": "Vegan meal", "stocked": True, "closes_hours": 24},
    PRIORITY: {"kind": ExtraKind.PRIORITY, "name": "Priority", "stocked": True},
    INSURANCE: {
        "kind": ExtraKind.INSURANCE,
        "name": "Travel insurance",
        "scope": ExtraScope.JOURNEY,
        "refundable": False,
        "infants": True,
    },
}


def defined(code: str, **changes: Any) -> DefineExtra:
    """An extra of the catalogue, or one changed."""
    usual: dict[str, Any] = {
        "airline_code": "UA",
        "code": code,
        "scope": ExtraScope.FLIGHT,
        "max_per_passenger": 1,
        "closes_hours": 0,
        "refundable": True,
        "infants": False,
        "stocked": False,
    }
    return DefineExtra(**usual | CATALOGUE[code] | changes)


async def put_on_sale(database: Database, schedule: Schedule, *, meals: int = 2, priority: int = 4) -> None:
    """The whole catalogue at its prices in dollars; the first flight has so many meals and priority places."""
    async with database.transaction() as session:
        for code, amount in PRICES.items():
            await extras.define(session, defined(code), STAFF)
            await extras.price(session, "UA", code, "USD", amount, STAFF)
        await extras.set_stock(session, schedule.first, MEAL, meals, STAFF)
        await extras.set_stock(session, schedule.first, PRIORITY, priority, STAFF)


def choice(schedule: Schedule, code: str, quantity: int = 1) -> ExtraChoice:
    """So many of an extra on the first flight, or for the journey."""
    slot_id = None if CATALOGUE[code].get("scope") is ExtraScope.JOURNEY else schedule.first
    return ExtraChoice(code=code, slot_id=slot_id, quantity=quantity)


async def stock(database: Database, schedule: Schedule, code: str) -> tuple[int, int]:
    """How many of a counted extra the first flight has held and sold."""
    return (await counts(database, schedule.first, STOCK + code))[:2]
