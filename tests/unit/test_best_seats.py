"""Where a party sits: the rules one by one, in cabins drawn by hand. `o` is a free seat, `.` a taken one."""

from __future__ import annotations

from collections.abc import Collection

import pytest

from services.fares import Party
from services.seats import Plan, search
from services.seats.arrangements import Arrangement, Shortage, best
from services.seats.reasons import reason
from services.seats.wishes import SeatWish, Wishes
from tests.factories.cabins import cabin, party


def drawn(*rows: str, exits: Collection[int] = (), legroom: Collection[int] = ()) -> tuple[Plan, frozenset[str]]:
    """The cabin and its free seats: a line for each row, a space for each aisle."""
    letters = iter("ABCDEFGHJK")
    block = "".join(next(letters) if seat != " " else " " for seat in rows[0])
    plan = cabin(block, len(rows), exits=exits, legroom=legroom)
    free = {
        f"{number}{column}"
        for number, row in enumerate(rows, start=1)
        for column, seat in zip(block, row, strict=True)
        if seat == "o"
    }
    return plan, frozenset(free)


def arranged(plan: Plan, free: frozenset[str], travelling: Party, *kinds: SeatWish, near: int = 0) -> Arrangement:
    wishes = Wishes(kinds=frozenset(kinds), row=near or None)
    found = best(plan, plan.sections[0], free, travelling, wishes)
    assert isinstance(found, Arrangement)
    return found


def where(found: Arrangement) -> str:
    """The seats by group, with `c` behind a child's and `i` behind that of an adult with an infant."""
    marks = [[f"{one.seat.number}{'c' * one.child}{'i' * one.with_infant}" for one in group] for group in found.groups]
    return " | ".join(" ".join(group) for group in marks)


@pytest.mark.parametrize(
    ("rows", "travelling", "expected"),
    [
        pytest.param(("oo. ...", "... ...", "... ooo"), party(3), "3D 3E 3F", id="one group before the front"),
        pytest.param(("o.o ...", "... ..o", "... ooo"), party(4), "2F | 3D 3E 3F", id="groups behind each other"),
        pytest.param(("ooo ooo",), party(4), "1A 1B 1C | 1D", id="groups across the aisle, and nobody left alone"),
        pytest.param(("ooo ...", "oo. ..."), party(2), "2A 2B", id="no lonely seat"),
        pytest.param((".o. ooo",), party(1), "1B", id="a lonely seat is filled"),
        pytest.param(("... ooo", "ooo ooo"), party(3), "1D 1E 1F", id="an empty row stays empty"),
        pytest.param(("ooo ...",), party(2), "1A 1B", id="a lonely seat is no reason to refuse"),
        pytest.param(("oo. ooo",), party(2, 1), "1Dc 1E 1F", id="a child beside an adult"),
        pytest.param((".o. oo.", "... .o."), party(2, 2), "1B | 1Dc 1E | 2Ec", id="as few children alone as can be"),
        pytest.param(("o.o ...", "o.. ..."), party(1, 1), "1A | 1Cc", id="a child alone in the row of its adult"),
        pytest.param(("oo. o..",), party(2, 0, 1), "1Ai 1B", id="an infant in arms with two adults"),
    ],
)
def test_a_rule(rows: tuple[str, ...], travelling: Party, expected: str) -> None:
    assert where(arranged(*drawn(*rows), travelling)) == expected


def test_three_groups_with_an_adult_beside_each_child_are_better_than_two_without() -> None:
    plan, free = drawn("ooo ...", "... oo.", "... oo.", exits=[1])
    assert where(arranged(plan, free, party(3, 2))) == "1C | 2Dc 2E | 3Dc 3E"
    assert where(arranged(plan, free, party(5))) == "1A 1B 1C | 2D 2E"


def test_children_and_infants_in_arms_never_sit_beside_an_exit() -> None:
    plan, free = drawn("ooo ooo", "oo. ...", exits=[1])
    assert where(arranged(plan, free, party(3))) == "1A 1B 1C"
    assert where(arranged(plan, free, party(1, 1))) == "2Ac 2B"
    assert where(arranged(plan, free, party(2, 0, 1))) == "2Ai 2B"
    assert where(arranged(plan, free, party(1, 2))) == "1A | 2Ac 2Bc"
    for travelling in (party(3, 0, 3), party(2, 1, 2), party(2, 3)):
        assert best(plan, plan.sections[0], free, travelling, Wishes()) == Shortage(left=8, safe=2)


def test_an_adult_may_sit_beside_the_exit_where_the_child_is_not_left_alone() -> None:
    plan, free = drawn("ooo ...", "oo. ...", exits=[1])
    assert where(arranged(plan, free, party(2, 1))) == "1A | 2Ac 2B"


def test_who_needs_an_accessible_seat_does_not_sit_beside_an_exit() -> None:
    plan, free = drawn("oo ..", exits=[1])
    wishes = Wishes(kinds=frozenset({SeatWish.ACCESSIBLE}))
    assert best(plan, plan.sections[0], free, party(1), wishes) == Shortage(left=2, safe=0)


@pytest.mark.parametrize(
    ("kinds", "near", "expected"),
    [
        ((), 0, "2A"),
        ((SeatWish.AISLE,), 0, "2C"),
        ((SeatWish.EXTRA_LEGROOM,), 0, "1A"),
        ((SeatWish.FRONT,), 0, "2A"),
        ((SeatWish.FRONT, SeatWish.EXTRA_LEGROOM), 0, "1A"),
        ((SeatWish.NEAR,), 5, "5A"),
        ((SeatWish.NEAR, SeatWish.AISLE), 5, "5C"),
    ],
)
def test_a_wish(kinds: tuple[SeatWish, ...], near: int, expected: str) -> None:
    plan, free = drawn(*["ooo ooo"] * 6, legroom=[1])
    assert where(arranged(plan, free, party(1), *kinds, near=near)) == expected


def test_a_wish_for_legroom_weighs_as_much_as_any_other() -> None:
    plan, free = drawn(".o.", "o..", legroom=[1])
    assert where(arranged(plan, free, party(1), SeatWish.WINDOW, SeatWish.EXTRA_LEGROOM)) == "1B"


def test_one_adult_sits_beside_two_children_at_most() -> None:
    found = arranged(*drawn("oooo"), party(1, 3))
    assert (where(found), found.care.alone) == ("1Ac 1B 1Cc 1Dc", 1)
    assert reason(found) == "4 seats side by side in row 1. 1 of 3 children cannot sit beside an adult."


def test_wishes_that_cannot_be_met_are_told() -> None:
    found = arranged(*drawn(".o. ...", "... .o."), party(2), SeatWish.WINDOW, SeatWish.TOGETHER, SeatWish.FRONT)
    assert (found.met, found.unmet) == ((), (SeatWish.WINDOW, SeatWish.TOGETHER, SeatWish.FRONT))


@pytest.mark.parametrize(
    ("rows", "travelling", "expected"),
    [
        (("o..",), party(1), "Seat 1A."),
        (("ooo",), party(2), "2 seats side by side in row 1. Seat 1C stays alone."),
        (
            ("ooo ooo",),
            party(2, 2),
            (
                "You cannot all sit side by side, so you sit in 2 groups in one row, across the aisle: 1A to 1C and 1D."
                " Each child sits beside an adult."
            ),
        ),
        (
            ("o.o",),
            party(1, 1),
            (
                "You cannot all sit side by side, so you sit in 2 groups in one row: 1A and 1C. "
                "The child cannot sit beside an adult."
            ),
        ),
        (
            (".o.", "o.."),
            party(2),
            "You cannot all sit side by side, so you sit in 2 groups in neighbouring rows: 1B and 2A.",
        ),
        (
            ("o..", "...", "o.."),
            party(2),
            "You cannot all sit side by side, so you sit in 2 groups as close as can be: 1A and 3A.",
        ),
    ],
)
def test_the_reason_is_told_in_words(rows: tuple[str, ...], travelling: Party, expected: str) -> None:
    assert reason(arranged(*drawn(*rows), travelling)) == expected


def test_wishes_are_told_in_words() -> None:
    found = arranged(*drawn("ooo ..."), party(1), SeatWish.WINDOW, SeatWish.FRONT, SeatWish.EXTRA_LEGROOM)
    words = "Seat 1A. As you wished: by the window and in the front. Not to be had: extra legroom."
    assert reason(found) == words


def test_too_few_seats_are_counted() -> None:
    plan, free = drawn("o.o", "..o")
    assert best(plan, plan.sections[0], free, party(4), Wishes()) == Shortage(left=3, safe=3)


def test_a_search_that_is_cut_short_keeps_the_heavy_rules(monkeypatch: pytest.MonkeyPatch) -> None:
    plan, free = drawn(*["o.o o.o"] * 12)
    whole = arranged(plan, free, party(7), SeatWish.WINDOW)
    monkeypatch.setattr(search, "MOST_BRANCHES", 1)
    short = arranged(plan, free, party(7), SeatWish.WINDOW)
    assert (short.care, len(short.groups), short.steps) == (whole.care, len(whole.groups), whole.steps)
    assert short == arranged(plan, free, party(7), SeatWish.WINDOW)
