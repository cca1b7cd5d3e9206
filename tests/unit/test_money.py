"""Money: nothing is lost in splitting, and rounding has one rule."""

from __future__ import annotations

from decimal import ROUND_HALF_UP, Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from core.money import EXPONENTS, CurrencyMismatch, Money, TooFine, UnknownCurrency, add, in_minor_units

amounts = st.integers(-(10**15), 10**15)
weights = st.lists(st.integers(0, 10**6), min_size=1, max_size=12).filter(any)


def usd(minor_units: int) -> Money:
    return Money(minor_units, "USD")


@given(amounts, weights)
def test_the_parts_add_up_to_the_whole(minor_units: int, shares: list[int]) -> None:
    whole = usd(minor_units)
    parts = whole.allocate(shares)
    assert len(parts) == len(shares)
    assert add(parts, "USD") == whole


@given(amounts, weights)
def test_no_part_is_a_whole_unit_away_from_its_due(minor_units: int, shares: list[int]) -> None:
    for part, weight in zip(usd(minor_units).allocate(shares), shares, strict=True):
        assert abs(part.minor_units * sum(shares) - minor_units * weight) < sum(shares)


@given(amounts, weights)
def test_a_debt_is_split_as_the_same_credit_is(minor_units: int, shares: list[int]) -> None:
    credit, debt = usd(minor_units).allocate(shares), usd(-minor_units).allocate(shares)
    assert [part.minor_units for part in debt] == [-part.minor_units for part in credit]


def test_what_is_left_over_goes_to_the_largest_remainder_the_earlier_first() -> None:
    assert usd(100).allocate([1, 1, 1]) == [usd(34), usd(33), usd(33)]
    assert usd(10).allocate([1, 6]) == [usd(1), usd(9)]
    assert usd(-1).allocate([1, 1]) == [usd(-1), usd(0)]
    assert usd(5).allocate([0, 1]) == [usd(0), usd(5)]


@pytest.mark.parametrize("shares", [[], [0], [0, 0], [1, -1], [2, -1]])
def test_weights_that_split_nothing_are_refused(shares: list[int]) -> None:
    with pytest.raises(ValueError, match="none negative, not all zero"):
        usd(100).allocate(shares)


@given(amounts, st.integers(-20_000, 20_000))
def test_a_share_is_rounded_half_away_from_zero(minor_units: int, basis_points: int) -> None:
    exact = Decimal(minor_units) * basis_points / 10_000
    assert usd(minor_units).share(basis_points) == usd(int(exact.quantize(Decimal(1), ROUND_HALF_UP)))


@pytest.mark.parametrize(
    ("minor_units", "basis_points", "expected"),
    [
        (1, 5_000, 1),
        (-1, 5_000, -1),
        (1, 4_999, 0),
        (-1, 4_999, 0),
        (1, -5_000, -1),
        (-1, -5_000, 1),
        (9_999, 750, 750),
    ],
)
def test_shares_at_the_half(minor_units: int, basis_points: int, expected: int) -> None:
    assert usd(minor_units).share(basis_points) == usd(expected)


@pytest.mark.parametrize(
    ("money", "printed"),
    [
        (Money(19_900, "USD"), "199.00"),
        (Money(-5, "USD"), "-0.05"),
        (Money(0, "EUR"), "0.00"),
        (Money(19_900, "JPY"), "19900"),
        (Money(0, "JPY"), "0"),
        (Money(1, "KWD"), "0.001"),
        (Money(10**17, "USD"), "1000000000000000.00"),
    ],
)
def test_the_amount_has_exactly_the_currencys_decimals(money: Money, printed: str) -> None:
    assert str(money.amount) == printed


@given(amounts, st.sampled_from(sorted(EXPONENTS)))
def test_major_and_minor_units_are_the_same_amount(minor_units: int, currency: str) -> None:
    money = Money(minor_units, currency)
    assert int(money.amount * 10 ** EXPONENTS[currency]) == minor_units
    assert money.amount.as_tuple().exponent == -EXPONENTS[currency]


@pytest.mark.parametrize("currency", ["", "usd", "XXX", "USD ", "US"])
def test_a_currency_that_is_not_sold_is_refused(currency: str) -> None:
    with pytest.raises(UnknownCurrency):
        Money(1, currency)


def test_currencies_never_mix() -> None:
    dollars, euros = Money(1, "USD"), Money(1, "EUR")
    for mix in (lambda: dollars + euros, lambda: dollars - euros, lambda: dollars < euros, lambda: add([euros], "USD")):
        with pytest.raises(CurrencyMismatch):
            mix()
    assert dollars != euros


@given(st.lists(amounts, max_size=8))
def test_a_sum_is_the_sum(minor_units: list[int]) -> None:
    assert add(map(usd, minor_units), "USD") == usd(sum(minor_units))


def test_an_empty_sum_is_zero_of_its_currency() -> None:
    assert add([], "JPY") == Money(0, "JPY")


@given(st.integers(1 - 10**15, 10**15 - 1), st.sampled_from(sorted(EXPONENTS)))
def test_an_amount_in_major_units_is_the_same_again(minor_units: int, currency: str) -> None:
    money = Money(minor_units, currency)
    assert in_minor_units(money.amount, currency) == money


@pytest.mark.parametrize(
    ("amount", "currency"),
    [
        ("1.001", "USD"),
        ("0.5", "JPY"),
        ("1.0001", "KWD"),
        ("NaN", "USD"),
        ("Infinity", "USD"),
        ("1e15", "USD"),
        (f"1.{'0' * 30}1", "USD"),
    ],
)
def test_what_is_no_whole_number_of_units_is_refused(amount: str, currency: str) -> None:
    with pytest.raises(TooFine):
        in_minor_units(Decimal(amount), currency)


def test_trailing_zeros_are_no_decimals_and_currencies_are_known() -> None:
    assert in_minor_units(Decimal("12.3000"), "USD") == usd(1230)
    assert in_minor_units(Decimal("1E+2"), "JPY") == Money(100, "JPY")
    with pytest.raises(UnknownCurrency):
        in_minor_units(Decimal(1), "XXX")
