"""Money: integer minor units and a currency; never a float.

Source: ISO 4217 for currencies and the number of decimals each has. A sum over parts equals the whole, always.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from decimal import Decimal
from functools import cached_property
from typing import Any, ClassVar

EXPONENTS = {
    "AED": 2, "ARS": 2, "AUD": 2, "BHD": 3, "BRL": 2, "CAD": 2, "CHF": 2, "CLP": 0, "CNY": 2, "COP": 2, "CZK": 2,
    "DKK": 2, "EGP": 2, "EUR": 2, "GBP": 2, "HKD": 2, "HUF": 2, "IDR": 2, "ILS": 2, "INR": 2, "ISK": 0, "JOD": 3,
    "JPY": 0, "KES": 2, "KRW": 0, "KWD": 3, "MAD": 2, "MXN": 2, "MYR": 2, "NGN": 2, "NOK": 2, "NZD": 2, "OMR": 3,
    "PHP": 2, "PKR": 2, "PLN": 2, "QAR": 2, "RON": 2, "SAR": 2, "SEK": 2, "SGD": 2, "THB": 2, "TND": 3, "TRY": 2,
    "TWD": 2, "UAH": 2, "USD": 2, "VND": 0, "ZAR": 2,
}  # fmt: skip


MOST_DIGITS = 15
"""Of an amount in major units that somebody gives: its minor units fit into 64 bits."""

MOST_WRITTEN = 28
"""Digits with which `Decimal` reckons exactly."""


class UnknownCurrency(ValueError):
    """The code is not an ISO 4217 currency that Jetway sells in."""


class TooFine(ValueError):
    """The amount has more decimals than its currency."""


class CurrencyMismatch(ValueError):
    """Two amounts of different currencies were added or compared."""


@dataclass(frozen=True, order=False)
class Money:
    """An amount: `minor_units` of `currency` (USD 12.34 is 1234). May be negative."""

    minor_units: int
    currency: str

    written: ClassVar[dict[object, Any] | None] = None
    """See `core.rows.Written`."""

    def __post_init__(self) -> None:
        if self.currency not in EXPONENTS:
            raise UnknownCurrency(self.currency)

    @cached_property
    def amount(self) -> Decimal:
        """The same in major units, with exactly the currency's decimals."""
        return Decimal(self.minor_units).scaleb(-EXPONENTS[self.currency])

    def lasting(self) -> Money:
        """The same amount, to be shown again and again."""
        same = Money(self.minor_units, self.currency)
        same.__dict__["written"] = {}
        return same

    def __add__(self, other: Money) -> Money:
        return Money(self.minor_units + self._same(other), self.currency)

    def __sub__(self, other: Money) -> Money:
        return Money(self.minor_units - self._same(other), self.currency)

    def __mul__(self, count: int) -> Money:
        return Money(self.minor_units * count, self.currency)

    def __lt__(self, other: Money) -> bool:
        return self.minor_units < self._same(other)

    def share(self, basis_points: int) -> Money:
        """`basis_points` hundredths of a percent of the amount, rounded half away from zero to a minor unit."""
        scaled = abs(self.minor_units) * abs(basis_points)
        rounded = (scaled + 5_000) // 10_000
        negative = (self.minor_units < 0) != (basis_points < 0)
        return Money(-rounded if negative else rounded, self.currency)

    def allocate(self, weights: Sequence[int]) -> list[Money]:
        """Split by weights (none negative, not all zero) so that the parts add up to the whole.

        What integer division leaves over goes, a unit each, to the largest remainders, the earlier part first.
        """
        total = sum(weights)
        if total <= 0 or any(weight < 0 for weight in weights):
            raise ValueError("weights are whole numbers, none negative, not all zero")
        sign = -1 if self.minor_units < 0 else 1
        size = abs(self.minor_units)
        parts = [size * weight // total for weight in weights]
        by_remainder = sorted(range(len(weights)), key=lambda i: (-(size * weights[i] % total), i))
        for index in by_remainder[: size - sum(parts)]:
            parts[index] += 1
        return [Money(sign * part, self.currency) for part in parts]

    def _same(self, other: Money) -> int:
        if other.currency != self.currency:
            raise CurrencyMismatch(f"{self.currency} and {other.currency}")
        return other.minor_units


def in_minor_units(amount: Decimal, currency: str) -> Money:
    """An amount that is given in major units. Raises UnknownCurrency, and TooFine where it is no whole number of units.

    What has more than fifteen digits before the point, or twenty-eight in all, or is no number, is TooFine as well.
    """
    nothing = Money(0, currency)
    if not amount.is_finite() or amount.adjusted() >= MOST_DIGITS or len(amount.as_tuple().digits) > MOST_WRITTEN:
        raise TooFine(str(amount))
    units = amount.scaleb(EXPONENTS[nothing.currency])
    if units != units.to_integral_value():
        raise TooFine(str(amount))
    return Money(int(units), currency)


def add(amounts: Iterable[Money], currency: str) -> Money:
    """The sum of `amounts`, zero of `currency` where there are none."""
    total = Money(0, currency)
    for amount in amounts:
        total += amount
    return total
