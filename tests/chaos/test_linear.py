"""Histories of one seat, written by hand: those that can be explained, and those that cannot."""

from __future__ import annotations

import math

import pytest

from tests.chaos.linear import Op, check
from tests.chaos.register import Act, What

W = What


def op(
    begun: float, ended: float | None, what: What, hold: str = "", until: float | None = None, *, lasts: float = 0.0
) -> tuple[Act, float, float, bool, int]:
    """Something between two moments; without an end nobody knows what came of it. `until` is the deadline told."""
    act = Act(what, hold, until, math.inf if until is None else until, lasts)
    return act, begun, math.inf if ended is None else ended, ended is not None, -1


def history(*parts: tuple[Act, float, float, bool, int]) -> list[Op]:
    """The ops, numbered."""
    return [Op(number, f"client {number}", *part) for number, part in enumerate(parts)]


LEGAL = {
    "nothing": [],
    "one after the other, with a release between": [
        op(0, 1, W.TAKE, "a", 100),
        op(2, 3, W.GIVE_BACK, "a"),
        op(4, 5, W.TAKE, "b", 100),
    ],
    "a release that is under way while somebody takes": [
        op(0, 1, W.TAKE, "a", 100),
        op(2, 9, W.GIVE_BACK, "a"),
        op(3, 4, W.TAKE, "b", 100),
    ],
    "after the deadline": [op(0, 1, W.TAKE, "a", 10), op(9, 11, W.TAKE, "b", 100)],
    "sold late, for nobody else came": [
        op(0, 1, W.TAKE, "a", 10),
        op(11, 12, W.AVAILABLE),
        op(13, 14, W.SELL, "a"),
        op(15, 16, W.BOOKED),
    ],
    "a lost release explains the next": [
        op(0, 1, W.TAKE, "a", 100),
        op(2, None, W.GIVE_BACK, "a"),
        op(50, 51, W.LOCKED),
        op(60, 61, W.TAKE, "b", 200),
    ],
    "a lost hold is seen long after": [
        op(0, None, W.TAKE, "a", lasts=10),
        op(50, 51, W.LOCKED),
        op(60, 61, W.AVAILABLE),
    ],
    "a lost hold never was": [op(0, None, W.TAKE, "a", lasts=10), op(1, 2, W.AVAILABLE), op(3, 4, W.TAKE, "b", 10)],
    "an extended hold": [
        op(0, 1, W.TAKE, "a", 10),
        op(2, 3, W.MOVE, "a", 20),
        op(15, 16, W.LOCKED),
        op(19, 21, W.TAKE, "b", 90),
    ],
    "cancelled and sold again": [
        op(0, 1, W.TAKE, "a", 10),
        op(2, 3, W.SELL, "a"),
        op(4, 5, W.GIVE_BACK, "a"),
        op(6, 7, W.TAKE, "b", 90),
        op(8, 9, W.TAKEN),
    ],
    "one of two at once": [op(0, 5, W.TAKE, "a", 100), op(0, 5, W.TAKEN), op(6, 7, W.LOCKED)],
}

ILLEGAL = {
    "two holds of one seat": ([op(0, 1, W.TAKE, "a", 100), op(2, 3, W.TAKE, "b", 100)], {0, 1}),
    "taken before the deadline, among much else": (
        [
            op(0, 1, W.TAKE, "z", 100),
            op(1, 2, W.LOCKED),
            op(2, 3, W.GIVE_BACK, "z"),
            op(3, 4, W.AVAILABLE),
            op(4, 5, W.TAKE, "a", 100),
            op(6, 7, W.LOCKED),
            op(8, 9, W.TAKE, "b", 100),
            op(10, 11, W.LOCKED),
        ],
        {4, 6},
    ),
    "held, and free to see": ([op(0, 1, W.TAKE, "a", 100), op(2, 3, W.AVAILABLE)], {0, 1}),
    "refused though nobody had it": ([op(0, 1, W.AVAILABLE), op(2, 3, W.TAKEN)], {1}),
    "refused by a hold that was over": ([op(0, 1, W.TAKE, "a", 10), op(12, 13, W.TAKEN)], {1}),
    "sold twice": (
        [op(0, 1, W.TAKE, "a", 10), op(11, 12, W.TAKE, "b", 100), op(13, 14, W.SELL, "a"), op(15, 16, W.SELL, "b")],
        {1, 2},
    ),
    "sold, and free to see": ([op(0, 1, W.TAKE, "a", 10), op(2, 3, W.SELL, "a"), op(20, 21, W.AVAILABLE)], {1, 2}),
    "over, and extended": ([op(0, 1, W.TAKE, "a", 10), op(12, 13, W.MOVE, "a", 20)], {1}),
    "called over before its time": ([op(0, 1, W.TAKE, "a", 10), op(2, 3, W.DEAD, "a")], {0, 1}),
    "a lost hold that lasts for less than was asked": (
        [op(0, None, W.TAKE, "a", lasts=50), op(1, 2, W.AVAILABLE), op(3, 4, W.LOCKED), op(20, 21, W.AVAILABLE)],
        {2, 3},
    ),
    "free, locked by nobody, free": ([op(0, 1, W.AVAILABLE), op(2, 3, W.LOCKED), op(4, 5, W.AVAILABLE)], {1}),
}


@pytest.mark.parametrize("name", LEGAL)
def test_explained(name: str) -> None:
    assert check(history(*LEGAL[name])).holds


@pytest.mark.parametrize("name", ILLEGAL)
def test_not_explained_and_why(name: str) -> None:
    parts, why = ILLEGAL[name]
    verdict = check(history(*parts))
    assert not verdict.holds
    assert {one.number for one in verdict.illegal} == why


def test_what_comes_later_is_no_part_of_it() -> None:
    parts = [op(0, 1, W.TAKE, "a", 100), op(2, 3, W.TAKE, "b", 100), op(4, 5, W.TAKE, "c", 100)]
    assert {one.number for one in check(history(*parts)).illegal} == {0, 1}


def test_a_step_that_can_only_come_before_another() -> None:
    """A payment that failed made its hold last longer before it put the deadline back, never afterwards."""
    lasts_longer = (Act(W.MOVE, "a"), 2.0, 9.0, False, 2)
    parts = [op(0, 1, W.TAKE, "a", 10), lasts_longer, op(2, 9, W.PUT_BACK, "a", 10), op(12, 13, W.LOCKED)]
    assert not check(history(*parts)).holds
    assert check(history(*parts[:3])).holds


def test_a_history_that_is_too_much_work_is_not_called_legal(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("tests.chaos.linear.MOST_WORK", 20)
    verdict = check(history(*(op(0, 10, W.TAKE, str(n), 0) for n in range(6))))
    assert (verdict.decided, verdict.holds) == (False, False)


def test_ten_thousand_ops_are_checked_within_bounds() -> None:
    parts = []
    for n in range(2500):
        at, hold = n * 10, str(n)
        parts += [
            op(at, at + 2, W.TAKE, hold, at + 50),
            op(at + 1, at + 4, W.TAKEN),
            op(at + 3, at + 5, W.LOCKED),
            op(at + 6, at + 8, W.GIVE_BACK, hold),
        ]
    verdict = check(history(*parts))
    assert verdict.holds
    assert verdict.work < 100_000
