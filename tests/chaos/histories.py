"""What clients asked for and what they were told, with the times of their own clock; and what that says of each seat.

A `Deed` is one thing that somebody wanted, under one idempotency key, however often it was asked for: it happens at
most once, after it was first asked for and before it was first confirmed. A reply that was lost decides nothing: the
deed may happen at any time from then on, or never, until the same key tells. Every attempt also stands in a file.
"""

from __future__ import annotations

import json
import math
import time
from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from pathlib import Path
from typing import Any, TypeAlias

from tests.chaos.linear import Op, Verdict, check
from tests.chaos.register import ABOUT_A_HOLD, Act, What

Unit: TypeAlias = tuple[str, str]
"""A seat of a flight, by the flight's id and its number."""

SLACK = 0.02
"""Seconds by which two looks at the clocks of one machine may differ."""


@dataclass(frozen=True)
class Clock:
    """The watchers' clock, in seconds since the run began, and how the server's deadlines read on it.

    The server's clock goes `speed` times as fast since `planted` (Unix time), so that holds end within a run.
    """

    speed: float
    planted: float
    began: float = field(default_factory=time.monotonic)
    ahead: float = field(default_factory=lambda: time.time() - time.monotonic())

    def now(self) -> float:
        """Seconds since the run began."""
        return time.monotonic() - self.began

    def deadline(self, told: str) -> tuple[float, float]:
        """Between which two moments a deadline lies that was told to the second."""
        server = datetime.fromisoformat(told).timestamp()
        here = [self.planted + (seconds - self.planted) / self.speed for seconds in (server, server + 1)]
        return here[0] - self.ahead - self.began - SLACK, here[1] - self.ahead - self.began + SLACK


@dataclass
class Deed:
    """What somebody wants of some seats. `hold` is the key of the hold that it is about, which names it from the start.

    `outcome` is None as long as nobody knows; then `ok`, `PAID`, or the code of a refusal.
    `deadline` is what was told, `seen` what a look at the seats saw.
    """

    client: str
    what: str
    units: Sequence[Unit]
    hold: str
    begun: float
    ended: float = math.inf
    outcome: str | None = None
    deadline: tuple[float, float] | None = None
    lasts: float = 0.0
    seen: Mapping[Unit, tuple[str, int]] = field(default_factory=dict)


class History:
    """Everything that was asked for and told in one run."""

    def __init__(self, clock: Clock, file: Path) -> None:
        self.clock = clock
        self.deeds: list[Deed] = []
        self.attempts = 0
        self._file = file.open("a")

    def begin(self, client: str, what: str, units: Sequence[Unit] = (), hold: str = "", *, lasts: float = 0.0) -> Deed:
        """Somebody is about to ask for something."""
        deed = Deed(client, what, units, hold, self.clock.now(), lasts=lasts)
        self.deeds.append(deed)
        return deed

    def answered(self, deed: Deed, outcome: str, deadline: str | None = None) -> None:
        """They were told; the first answer counts."""
        if deed.outcome is None:
            deed.ended, deed.outcome = self.clock.now(), outcome
            if deadline is not None:
                deed.deadline = self.clock.deadline(deadline)

    def refused(self, deed: Deed, begun: float, code: str, units: Sequence[Unit], *, final: bool) -> None:
        """One attempt was refused; `units` are those that somebody has.

        Where an earlier attempt was lost, that one may still happen, so the deed stays open, unless this is `final`.
        """
        now = self.clock.now()
        seen = Deed(deed.client, f"{deed.what} refused", units or deed.units, deed.hold, begun, now, code)
        self.deeds.append(seen)
        if final:
            deed.ended, deed.outcome = now, code

    def note(self, client: str, begun: float, operation: str, asked: object, told: object) -> None:
        """Write an attempt down as it was made."""
        self.attempts += 1
        line = {"client": client, "begun": round(begun, 6), "ended": round(self.clock.now(), 6)}
        json.dump({**line, "operation": operation, "asked": asked, "told": told}, self._file)
        self._file.write("\n")

    def close(self) -> None:
        """Write out what is not on disk yet."""
        self._file.close()

    def by_unit(self) -> dict[Unit, list[Op]]:
        """What happened to each seat, and was seen of it."""
        found: dict[Unit, list[Op]] = defaultdict(list)
        for deed in self.deeds:
            for unit in deed.units:
                ops = found[unit]
                for act, certain, before in acts(deed, unit):
                    not_after = len(ops) + 1 if before else -1
                    ended = deed.ended if deed.outcome is not None else math.inf
                    ops.append(narrowed(Op(len(ops), deed.client, act, deed.begun, ended, certain, not_after), deed))
        return found

    def verdicts(self) -> dict[Unit, Verdict]:
        """What the checker says of each seat."""
        return {unit: check(ops) for unit, ops in sorted(self.by_unit().items())}

    def versions_gone_back(self) -> list[str]:
        """Seats whose version a later look saw smaller; 0 is that of a seat whose row was tidied away."""
        faults = []
        looks: dict[Unit, list[tuple[float, float, int]]] = defaultdict(list)
        for deed in self.deeds:
            for unit, (_, version) in deed.seen.items():
                looks[unit].append((deed.begun, deed.ended, version))
        for unit, seen in looks.items():
            ends = sorted(seen, key=lambda look: look[1])
            newest, following = 0, 0
            for begun, _, version in sorted(seen):
                while ends[following][1] < begun:
                    newest = max(newest, ends[following][2])
                    following += 1
                if 0 < version < newest:
                    faults.append(f"{unit}: version {version} after {newest}")
        return faults


Acts: TypeAlias = Iterator[tuple[Act, bool, bool]]
"""Acts, each with whether it is certain, and whether it can only come before the next one."""


def acts(deed: Deed, unit: Unit) -> Acts:
    """What a deed says of one of its seats."""
    known = deed.outcome is not None
    if deed.what == "pay":
        yield from paying(deed)
    elif deed.what in DOES:
        if not known or deed.outcome == "ok":
            yield lasting(DOES[deed.what], deed), known, False
    elif what := watched(deed, unit):
        yield Act(what, deed.hold if what in ABOUT_A_HOLD else ""), True, False


DOES = {"hold": What.TAKE, "extend": What.MOVE, "release": What.GIVE_BACK, "cancel": What.GIVE_BACK}


def watched(deed: Deed, unit: Unit) -> What | None:
    """What somebody saw of a seat, or learnt by a refusal; None for nothing."""
    if unit in deed.seen:
        return What(f"sees {deed.seen[unit][0]}")
    if (deed.what, deed.outcome) == ("hold refused", "SEATS_TAKEN"):
        return What.TAKEN
    if (deed.what, deed.outcome) == ("book", "ok"):
        return What.ALIVE
    return What.DEAD if deed.what.endswith(" refused") and deed.outcome == "HOLD_EXPIRED" else None


def narrowed(op: Op, deed: Deed) -> Op:
    """A hold that was told long after it was asked for: its deadline tells when it was placed.

    It was not before that, by as much as was asked for; and after its own deadline it would change nothing any more.
    """
    if op.act.what is not What.TAKE or deed.deadline is None:
        return op
    earliest, latest = deed.deadline
    begun, ended = max(op.begun, earliest - deed.lasts), min(op.ended, latest)
    return replace(op, begun=begun, ended=max(begun, ended), certain=op.ended <= latest)


def paying(deed: Deed) -> Acts:
    """While it is paid a hold lasts longer; then it is sold, or has its deadline of before, or is over."""
    if deed.outcome in (None, *ENDS):
        yield Act(What.MOVE, deed.hold), False, deed.outcome is not None
    if deed.outcome is None:
        yield Act(What.SELL, deed.hold), False, False
        yield Act(What.DROP, deed.hold), False, False
    elif deed.outcome in ENDS:
        yield lasting(ENDS[deed.outcome], deed), True, False


ENDS = {
    "PAID": What.SELL,
    "PAYMENT_DECLINED": What.PUT_BACK,
    "HOLD_EXPIRED": What.DEAD,
    "BOOKING_FAILED": What.DROP,
}
"""What became of a seat whose payment is over."""


def lasting(what: What, deed: Deed) -> Act:
    """An act that gives a hold its deadline: as told, or at least as long as was asked for."""
    if deed.deadline is None:
        return Act(what, deed.hold, lasts=deed.lasts)
    return Act(what, deed.hold, *deed.deadline)


def told(answer: Any) -> str:
    """An answer in one word: a problem's code, or the name of the type."""
    return str(answer.get("code") or answer["__typename"])
