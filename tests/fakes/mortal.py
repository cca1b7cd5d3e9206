"""A process that dies where it is told to: at any point between two steps of the saga, or in the middle of one.

A step is: look, then perhaps a call to the gateway, then one transaction, which is there wholly or not at all. So every
place where dying makes a difference is a look, the moment before a call, or the moment after it, when the gateway has
done what nobody here knows yet. One step has two transactions: a verdict is written before a payment is held back.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping
from typing import Any, TypeVar, cast

import pytest

from services.bookings import reviewing, situation
from services.gateways import Gateway, Gateways

End = TypeVar("End")


class Died(BaseException):
    """The process is gone."""


class Life:
    """Counts the points that a process passes, and ends it at number `dies_at`, the first being 0."""

    def __init__(self, dies_at: int | None = None) -> None:
        self.passed: list[str] = []
        self._dies_at = dies_at

    def point(self, name: str) -> None:
        """Pass a point, or die there."""
        if len(self.passed) == self._dies_at:
            raise Died(name)
        self.passed.append(name)

    def lead(self, monkeypatch: pytest.MonkeyPatch, gateways: Gateways) -> Gateways:
        """Have the saga, and a gateway like that one, live this life."""

        async def mortal_look(*arguments: Any) -> Any:
            self.point("look")
            return await situation.look(*arguments)

        async def mortal_hold_back(*arguments: Any) -> Any:
            self.point("before hold_back")
            return await reviewing.hold_back(*arguments)

        monkeypatch.setattr("services.bookings.saga.look", mortal_look)
        monkeypatch.setattr("services.bookings.steps.hold_back", mortal_hold_back)
        return Gateways([cast("Gateway", MortalGateway(gateways.named(name), self)) for name in gateways.names])


class MortalGateway:
    """A gateway before and after each call of which a process may die."""

    def __init__(self, gateway: Gateway, life: Life) -> None:
        self._gateway = gateway
        self._life = life
        self.name, self.methods, self.means = gateway.name, gateway.methods, gateway.means

    def __getattr__(self, name: str) -> Callable[..., Awaitable[Any]]:
        async def call(*arguments: Any) -> Any:
            self._life.point(f"before {name}")
            answer = await getattr(self._gateway, name)(*arguments)
            self._life.point(f"after {name}")
            return answer

        return call


def deaths(journeys: Mapping[Any, tuple[list[str], object]]) -> list[Any]:
    """Each journey unharmed (None), and killed at each of its points (their numbers), for `parametrize`."""
    return [
        pytest.param(journey, number, id=f"{journey.__name__}-{name.replace(' ', '-')}")
        for journey, (points, _) in journeys.items()
        for number, name in ((None, "unharmed"), *((number, f"{number}-{name}") for number, name in enumerate(points)))
    ]


async def walk(
    listed: tuple[list[str], End],
    dies_at: int | None,
    *,
    living: Callable[[int | None], Awaitable[Life]],
    coming_next: Callable[[], Awaitable[object]],
    standing: Callable[[], Awaitable[End]],
) -> None:
    """Go on a journey to the point where it dies. It passes the points that are listed and comes to the end listed.

    Where it dies, whoever comes next brings it to that end; whoever comes after that finds nothing to do.
    """
    points, end = listed
    assert (await living(dies_at)).passed == points[:dies_at]
    if dies_at is None:
        assert await standing() == end
        return
    for _ in range(2):
        await coming_next()
        assert await standing() == end
