"""Which classes compiled code takes for what they seem."""

from __future__ import annotations

from asyncio import Future
from dataclasses import dataclass
from datetime import UTC, date, datetime, time
from decimal import Decimal
from types import CoroutineType, GeneratorType
from typing import Any, NamedTuple
from unittest.mock import MagicMock
from uuid import UUID, uuid4

import pytest
import strawberry

from engine.execution.classes import Guard, ListGuard, Odd, is_plain, is_sealed


@dataclass(frozen=True)
class Sealed:
    """Nothing can be set on it."""

    name: str


class Derived(Sealed):
    """It can on this one."""


@dataclass(frozen=True)
class Named:
    """It says itself what it is."""

    __typename: str


class Place(NamedTuple):
    """A row that is a tuple."""

    name: str


class Magical:
    """Attributes by magic."""

    def __getattr__(self, name: str) -> Any:
        return name


@pytest.mark.parametrize("cls", [int, str, list, dict, Decimal, datetime, date, time, UUID, Sealed, Derived, Place])
def test_plain_classes(cls: type) -> None:
    assert is_plain(cls)


@pytest.mark.parametrize(
    "cls", [type(None), ValueError, KeyboardInterrupt, MagicMock, Magical, CoroutineType, GeneratorType, Future]
)
def test_classes_that_are_more_than_they_seem(cls: type) -> None:
    assert not is_plain(cls)


def test_a_sealed_class_cannot_be_cast() -> None:
    assert [is_sealed(cls) for cls in (Sealed, Derived, Named, Magical)] == [True, False, False, False]
    strawberry.cast(Magical, Derived("x"))
    with pytest.raises(AttributeError):
        strawberry.cast(Magical, Sealed("x"))


def test_a_value_of_the_usual_scalars_goes_the_short_way_from_the_second_on() -> None:
    guard = Guard()
    for value in (Decimal(1), datetime(2027, 1, 2, tzinfo=UTC), uuid4()):
        guard(value)
        assert type(value) in guard.known


def test_what_a_guard_remembers_is_bounded() -> None:
    guard = Guard()
    for index in range(100):
        guard(type(f"C{index}", (), {})())
    assert len(guard.known) == 64


@pytest.mark.parametrize("value", [iter([1]), "text", {"a": 1}, (one for one in "ab"), None, range(3)])
def test_only_what_can_be_gone_through_again_is_a_list(value: object) -> None:
    with pytest.raises(Odd):
        ListGuard()(value)
