"""Scalars: how moments, money and large numbers are written."""

from __future__ import annotations

import re
from datetime import UTC, date, datetime
from decimal import Decimal
from typing import NewType

import strawberry
from strawberry.types.scalar import ScalarDefinition

from core.money import EXPONENTS
from engine.execution import pure

BigInt = NewType("BigInt", int)
CurrencyCode = NewType("CurrencyCode", str)

DATE = re.compile(r"\d{4}-\d\d-\d\d", re.ASCII)
MOMENT = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d(:\d\d(\.\d{1,6})?)?(Z|[+-]\d\d:\d\d)", re.ASCII)
"""RFC 3339, with the seconds left out where they are none."""

EARLIEST, LATEST = datetime(1900, 1, 1, tzinfo=UTC), datetime(2200, 1, 1, tzinfo=UTC)
"""What every zone can show: a moment at the edge of the calendar has no date elsewhere."""

LARGEST = 2**53 - 1
"""The largest whole number that every client's JSON keeps exact (ECMA-262, Number.MAX_SAFE_INTEGER)."""


def read_moment(text: object) -> datetime:
    """A moment with its offset."""
    if not isinstance(text, str):
        raise TypeError("DateTime is a string")
    if not MOMENT.fullmatch(text):
        raise ValueError("DateTime is written with its offset, as in 2026-12-15T08:05:00-05:00")
    moment = datetime.fromisoformat(text)
    if not EARLIEST <= moment.replace(tzinfo=UTC) <= LATEST:
        raise ValueError("DateTime lies between the years 1900 and 2200")
    return moment


def read_date(text: object) -> date:
    """A calendar date."""
    if not isinstance(text, str) or not DATE.fullmatch(text):
        raise ValueError("Date is written as 2026-12-15")
    return date.fromisoformat(text)


@pure
def check_big(value: object) -> int:
    """A whole number that survives JSON."""
    if not isinstance(value, int) or isinstance(value, bool) or abs(value) > LARGEST:
        raise ValueError("BigInt is a whole number between -(2^53-1) and 2^53-1")
    return value


@pure
def check_currency(value: object) -> str:
    """A currency that Jetway knows."""
    if value not in EXPONENTS:
        raise ValueError("CurrencyCode is a currency code of ISO 4217")
    return str(value)


@pure
def write_moment(moment: datetime) -> str:
    """ISO 8601, to the second, with the offset of the place."""
    return moment.isoformat(timespec="seconds")


SCALARS: dict[object, ScalarDefinition] = {
    datetime: strawberry.scalar(
        name="DateTime",
        description="A moment in ISO 8601 with the offset of its place: 2026-12-15T08:05:00-05:00.",
        serialize=write_moment,
        parse_value=read_moment,
        specified_by_url="https://datatracker.ietf.org/doc/html/rfc3339",
    ),
    date: strawberry.scalar(
        name="Date",
        description="A calendar date in ISO 8601: 2026-12-15. Where it belongs to a place, it is that place's date.",
        serialize=date.isoformat,
        parse_value=read_date,
    ),
    Decimal: strawberry.scalar(
        name="Decimal",
        description="A decimal number as a string, so that nothing is lost: 199.00.",
        serialize=str,
        parse_value=Decimal,
    ),
    BigInt: strawberry.scalar(
        name="BigInt",
        description="A whole number between -(2^53-1) and 2^53-1, as a JSON number.",
        serialize=check_big,
        parse_value=check_big,
    ),
    CurrencyCode: strawberry.scalar(
        name="CurrencyCode",
        description="A currency code of ISO 4217: USD.",
        serialize=check_currency,
        parse_value=check_currency,
    ),
}
