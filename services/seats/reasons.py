"""Why these seats: in words that a shopper reads."""

from __future__ import annotations

from collections.abc import Sequence

from services.seats.arrangements import Arrangement, SeatedTraveller
from services.seats.wishes import SeatWish

WORDS = {
    SeatWish.WINDOW: "by the window",
    SeatWish.AISLE: "by an aisle",
    SeatWish.TOGETHER: "all together",
    SeatWish.FRONT: "in the front",
    SeatWish.NEAR: "near the place you named",
    SeatWish.ACCESSIBLE: "accessible",
    SeatWish.EXTRA_LEGROOM: "extra legroom",
}


def reason(arrangement: Arrangement) -> str:
    """Why the arrangement won: where the party sits, how children fare, which wishes are met, what is left alone."""
    sentences = (together(arrangement), children(arrangement), wishes(arrangement), lonely(arrangement))
    return " ".join(sentence for sentence in sentences if sentence)


def together(arrangement: Arrangement) -> str:
    """Where the party sits, and how far from each other."""
    groups = arrangement.groups
    if len(groups) > 1:
        where = joined([place(group) for group in groups])
        return f"You cannot all sit side by side, so you sit in {len(groups)} groups {apart(arrangement)}: {where}."
    (group,) = groups
    if len(group) == 1:
        return f"Seat {place(group)}."
    return f"{len(group)} seats side by side in row {arrangement.rows[0]}."


def apart(arrangement: Arrangement) -> str:
    """How far the groups are from each other."""
    if len(arrangement.rows) == 1:
        return "in one row" if arrangement.steps == 0 else "in one row, across the aisle"
    return "in neighbouring rows" if arrangement.rows[-1] - arrangement.rows[0] == 1 else "as close as can be"


def place(group: Sequence[SeatedTraveller]) -> str:
    """The seats of a group, from first to last."""
    first, last = group[0].seat.number, group[-1].seat.number
    return first if len(group) == 1 else f"{first} to {last}"


def children(arrangement: Arrangement) -> str:
    """Whether each child sits beside an adult."""
    count = sum(one.child for one in arrangement.seated)
    if not count:
        return ""
    alone = arrangement.care.alone
    if not alone:
        return "Each child sits beside an adult." if count > 1 else "The child sits beside an adult."
    return (
        f"{alone} of {count} children cannot sit beside an adult."
        if count > 1
        else "The child cannot sit beside an adult."
    )


def wishes(arrangement: Arrangement) -> str:
    """Which wishes are met, and which are not."""
    met = f"As you wished: {joined([WORDS[wish] for wish in arrangement.met])}." if arrangement.met else ""
    unmet = f"Not to be had: {joined([WORDS[wish] for wish in arrangement.unmet])}." if arrangement.unmet else ""
    return f"{met} {unmet}".strip()


def lonely(arrangement: Arrangement) -> str:
    """Which seats would be left alone."""
    if not arrangement.lonely:
        return ""
    seats = joined(arrangement.lonely)
    return f"Seat {seats} stays alone." if len(arrangement.lonely) == 1 else f"Seats {seats} stay alone."


def joined(words: Sequence[str]) -> str:
    """Words in a row: `a`, `a and b`, `a, b and c`."""
    return words[0] if len(words) == 1 else f"{', '.join(words[:-1])} and {words[-1]}"
