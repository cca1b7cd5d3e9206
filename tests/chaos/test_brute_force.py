"""The checker against every order there is, on histories small enough for that."""

from __future__ import annotations

import math
from collections.abc import Sequence

from hypothesis import given, settings
from hypothesis import strategies as st

from tests.chaos.linear import Op, check
from tests.chaos.register import FREE, Act, Seat, What, step

MOMENTS = st.integers(0, 12)
HOLDS = ("a", "b")


@st.composite
def ops(draw: st.DrawFn) -> list[Op]:
    """Up to five ops of two holds, some of them perhaps never."""
    made = []
    for number in range(draw(st.integers(1, 5))):
        what, hold = draw(st.sampled_from(What)), draw(st.sampled_from(HOLDS))
        begun = draw(MOMENTS)
        ended = begun + draw(st.integers(0, 6))
        told = draw(st.none() | MOMENTS)
        act = Act(what, hold, told, math.inf if told is None else told + draw(st.integers(0, 2)), lasts=3)
        certain = draw(st.booleans())
        forever = not certain and draw(st.booleans())
        made.append(Op(number, "client", act, begun, math.inf if forever else ended, certain))
    return made


def explained(left: Sequence[Op], seat: Seat = FREE, moment: float = -math.inf) -> bool:
    """Whether the rest can happen in some order, each at its earliest, and nothing after what had ended before it."""
    if not any(op.certain for op in left):
        return True
    for op in left:
        rest = [one for one in left if one is not op]
        # What ended before this one began is either done by now or never happens.
        early = [one for one in rest if one.ended < op.begun]
        if any(one.certain for one in early):
            continue
        happened = step(seat, op.act, max(moment, op.begun))
        if happened is None or happened[1] > op.ended:
            continue
        if explained([one for one in rest if one not in early], *happened):
            return True
    return False


@settings(max_examples=400, deadline=None, derandomize=True)
@given(ops())
def test_the_search_finds_what_trying_everything_finds(history: list[Op]) -> None:
    verdict = check(history)
    assert verdict.decided
    assert verdict.holds == explained(history)


@settings(max_examples=100, deadline=None, derandomize=True)
@given(ops())
def test_what_is_shown_is_not_explained_by_itself_either(history: list[Op]) -> None:
    verdict = check(history)
    if not verdict.holds:
        numbers = {op.number for op in verdict.illegal}
        others = [
            op for op in history if op.number not in numbers and op.begun <= max(o.ended for o in verdict.illegal)
        ]
        perhaps = [Op(op.number, op.client, op.act, op.begun, op.ended, certain=False) for op in others]
        assert not explained([*verdict.illegal, *perhaps])
