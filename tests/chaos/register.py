"""A seat of one flight as a register: what may happen to it, and when. The checker's whole knowledge of the domain.

A seat is free, or a hold's until its deadline, or sold to that hold's booking. Times are seconds on the clock of those
who watch. A deadline is told to the second only, or not at all where a reply was lost, so a seat knows between which
two moments it lies. Whatever is not known is taken for what the server may have done: no legal history is ever called
illegal, and a fault that the uncertainty could explain is not seen.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, replace
from enum import StrEnum
from typing import TypeAlias


class What(StrEnum):
    """What may happen to a seat, or be seen of it."""

    TAKE = "takes"
    """A hold takes it: it is free, or its hold is over."""
    MOVE = "extends"
    """Its hold, which lives, has another deadline from now on."""
    PUT_BACK = "puts back"
    """A payment failed: if the seat is still that hold's, it has its deadline of before."""
    SELL = "buys"
    """Its hold's booking is paid; a hold that is over is still good, as long as nobody else has taken the seat."""
    GIVE_BACK = "gives back"
    """A hold that lives, or a booking that was paid, gives it back."""
    DROP = "loses"
    """The booking of its hold has failed; the seat is free."""
    ALIVE = "finds alive"
    DEAD = "finds over"
    """The hold that is named lives, or does not."""
    AVAILABLE = "sees AVAILABLE"
    LOCKED = "sees LOCKED"
    BOOKED = "sees BOOKED"
    TAKEN = "is refused"
    """Somebody has it."""


@dataclass(frozen=True, slots=True)
class Seat:
    """What a seat is. `hold` is empty while it is free; the deadline lies between `earliest` and `latest`."""

    hold: str = ""
    sold: bool = False
    earliest: float = 0.0
    latest: float = 0.0

    def lives(self, moment: float) -> bool:
        """Whether it may be a living hold's at that moment."""
        return bool(self.hold) and not self.sold and self.latest > moment


FREE = Seat()


@dataclass(frozen=True, slots=True)
class Act:
    """Something that happens to a seat: `hold` is whose doing it is, `earliest` and `latest` what deadline it gives.

    Without a deadline the hold lasts for at least `lasts` from the moment on in which it happens.
    """

    what: What
    hold: str = ""
    earliest: float | None = None
    latest: float = math.inf
    lasts: float = 0.0


Step: TypeAlias = tuple[Seat, float] | None
"""A seat afterwards, and when; None for what cannot happen."""


def step(seat: Seat, act: Act, moment: float) -> Step:
    """What the seat is afterwards, and the earliest moment from `moment` on in which it can happen; None: it cannot."""
    if act.what in ABOUT_A_HOLD:
        return of_hold(seat, act, moment)
    match act.what:
        case What.TAKE | What.AVAILABLE:
            return free_at(seat, act, moment)
        case What.BOOKED:
            return (seat, moment) if seat.sold else None
        case What.LOCKED:
            return (locked(seat, moment), moment) if seat.lives(moment) else None
        case _:
            return (locked(seat, moment), moment) if seat.sold or seat.lives(moment) else None


ABOUT_A_HOLD = frozenset({What.MOVE, What.PUT_BACK, What.SELL, What.GIVE_BACK, What.DROP, What.ALIVE, What.DEAD})


def of_hold(seat: Seat, act: Act, moment: float) -> Step:
    """What happens to the seat as far as it is that hold's: some things only if it is, to others it does not matter."""
    if seat.hold != act.hold:
        return (seat, moment) if act.what in (What.PUT_BACK, What.DROP, What.DEAD) else None
    match act.what:
        case What.MOVE:
            return (limited(seat, act, moment), moment) if seat.lives(moment) else None
        case What.PUT_BACK:
            return (seat if seat.sold else limited(seat, act, moment)), moment
        case What.SELL:
            return None if seat.sold else (Seat(seat.hold, sold=True), moment)
        case What.GIVE_BACK:
            return (FREE, moment) if seat.sold or seat.lives(moment) else None
        case What.DROP:
            return FREE, moment
        case What.ALIVE:
            return (locked(seat, moment), moment) if seat.lives(moment) else None
        case _:
            return over(seat, moment)


def free_at(seat: Seat, act: Act, moment: float) -> Step:
    """The seat is free: seen so, or taken by a hold, once the hold that has it is over."""
    found = over(seat, moment)
    if found is None or act.what is What.AVAILABLE:
        return found
    moment = found[1]
    return limited(Seat(act.hold), act, moment), moment


def over(seat: Seat, moment: float) -> Step:
    """Its hold, if it has one, is over: once and for all, for a hold that has died never lives again."""
    if seat.sold:
        return None
    if not seat.hold:
        return seat, moment
    return replace(seat, earliest=-math.inf, latest=-math.inf), max(moment, seat.earliest)


def locked(seat: Seat, moment: float) -> Seat:
    """It was seen with a hold that lives, so its deadline is later than that."""
    return seat if seat.sold or seat.earliest >= moment else replace(seat, earliest=moment)


def limited(seat: Seat, act: Act, moment: float) -> Seat:
    """With the deadline that the act gives. One that is not known is no earlier than the one before."""
    if act.earliest is not None:
        return replace(seat, earliest=act.earliest, latest=act.latest)
    return replace(seat, earliest=max(seat.earliest, moment + act.lasts), latest=math.inf)
