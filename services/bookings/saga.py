"""The way of a booking from payment to ticket, and every way back: one step at a time, each safe to take again.

    authorise -> sell seats and issue tickets, in one transaction -> capture -> CONFIRMED

What has been done is what the rows say: whoever calls `advance`, in whatever state the booking is (the request that
began it, a webhook's job, the job after a crash), takes the steps that are due (`steps.py`). Between two steps nothing
is locked, and no step calls the gateway inside a transaction. Two callers at once ask the gateway with the same key,
and the second to write finds that the first has gone on.

A booking is paid for its sale, and later perhaps for amendments (`purposes.py`); each of them by one payment, or by
several that are shares of its price. Each payment is authorised by itself; when they cover the price together, what
they are for is sold, and each is captured.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Iterable
from dataclasses import dataclass
from datetime import timedelta
from uuid import UUID

from core.db import Database
from core.log import logger
from models import PaymentStatus
from services import payments, refunds
from services.bookings import steps
from services.bookings.calling_off import BUSY
from services.bookings.purposes import Stage
from services.bookings.situation import Attempt, Seen, Situation, look
from services.gateways import GatewayRefused, Gateways, GatewayUnavailable

AFTER_DEADLINE = timedelta(seconds=1)

REFUNDING = timedelta(hours=1)
"""When a gateway is asked again about a refund that it has accepted; its webhook comes first as a rule."""

log = logger("bookings")

Do = Callable[[Situation, Attempt], Awaitable[bool | Situation]]
"""Takes a step; whether there may be another at once, or where the step has left everything."""


@dataclass(frozen=True)
class Step:
    """Something to be done about one payment, in the situation in which it was due."""

    do: Do
    seen: Situation
    one: Attempt

    @property
    def key(self) -> tuple[str, UUID]:
        """What tells it from other steps, and finds it again in a later look."""
        return self.do.__name__, self.one.id


@dataclass(frozen=True)
class Rest:
    """What is left when no step can be taken now: when to look again, and by name the gateways that did not answer."""

    again: timedelta | None
    away: dict[str, GatewayUnavailable]


async def advance(db: Database, gateways: Gateways, booking_id: UUID) -> timedelta | None:
    """Take every step that can be taken now; returns None when there is nothing left to do.

    A booking that waits for somebody is to be looked at again after the time returned: the job behind it sees to that.
    Owns its short transactions. Raises NotFound, and GatewayUnavailable where a gateway does not answer: nothing is
    lost then, and calling again goes on.
    """
    rest = await work_off(db, gateways, booking_id)
    for error in rest.away.values():
        raise error
    return rest.again


async def work_off(db: Database, gateways: Gateways, booking_id: UUID) -> Rest:
    """The same for whoever can do with some of it: a gateway that is away keeps none of the others waiting."""
    waiting: dict[tuple[str, UUID], Attempt] = {}
    away: dict[str, GatewayUnavailable] = {}
    seen = await look(db, gateways, booking_id)
    while True:
        ready = [step for one in seen.situations for step in due(one) if step.key not in waiting]
        came = await take_first(ready, waiting, away)
        if not came:
            break
        if isinstance(came, Situation) and len(seen.situations) == 1 and not seen.refunds:
            seen = Seen(situations=(came,), refunds=False)
        else:
            seen = await look(db, gateways, booking_id)
    times = [patience(one, waiting.values()) for one in seen.situations if one.unsettled]
    if seen.refunds:
        try:
            done = await refunds.settle(db, gateways, booking_id)
            times += [] if done else [REFUNDING]
        except GatewayUnavailable as error:
            away["refunds"] = error
    return Rest(min(times, default=None), away)


async def take_first(
    ready: list[Step], waiting: dict[tuple[str, UUID], Attempt], away: dict[str, GatewayUnavailable]
) -> bool | Situation:
    """Take the first of those steps that changes anything, and return what it does. Notes the ones that have to wait.

    One at which the gateway refuses what nobody expects it to refuse waits too, so that it keeps no other waiting.
    """
    for step in ready:
        if step.one.gateway.name in away:
            continue
        try:
            came = await step.do(step.seen, step.one)
            if came:
                return came
        except GatewayUnavailable as error:
            away[step.one.gateway.name] = error
            continue
        except GatewayRefused as refusal:
            log.error("step.refused", step=step.do.__name__, payment=str(step.one.id), code=refusal.code)
        waiting[step.key] = step.one
    return False


def due(seen: Situation) -> list[Step]:
    """The steps that a situation asks for, each of them by itself; none where somebody else is waited for.

    Captures are made one after the other: what is taken when another is refused has to be refunded. A deadline that has
    passed is that of all shares: what is promised waits for no bank that cannot be told to stop, or that takes days.
    """
    undecided = [
        one for one in seen.unsettled if one.status is PaymentStatus.INITIATED or one.status in payments.WAITING
    ]
    if seen.stage is Stage.OVER:
        return each(steps.let_go, seen, seen.unsettled)
    if seen.stage is Stage.SOLD:
        return each(steps.capture, seen, seen.unsettled[:1])
    if seen.covered and not undecided:
        return each(steps.sell, seen, seen.attempts[:1])
    promised = [one for one in seen.unsettled if one not in undecided]
    late = each(steps.out_of_time, seen, promised) if seen.standing.dead else []
    return [Step(first_step(seen, one), seen, one) for one in undecided] + late


def each(do: Do, seen: Situation, some: Iterable[Attempt]) -> list[Step]:
    """The same step for each of some payments."""
    return [Step(do, seen, one) for one in some]


def first_step(seen: Situation, one: Attempt) -> Do:
    """What is to be done about a payment that is neither promised nor over."""
    if one.again_in is not None and one.status is PaymentStatus.PROCESSING and not seen.standing.dead:
        return steps.ask_again
    if one.status in payments.WAITING:
        return steps.ask
    return steps.find if seen.standing.dead else steps.authorise


def patience(seen: Situation, waiting: Iterable[Attempt]) -> timedelta:
    """When to look again at a purpose with payments under way.

    Payers are waited for until just after their deadline, which is the hold's, or a longer one of the payment's own; a
    bank that is to be asked again, until then; a gateway that could not be told our next step, a minute.
    """
    if seen.stage is not Stage.OPEN or not all(one.status in payments.WAITING for one in waiting):
        return BUSY
    if not seen.standing.dead:
        put_off = [one.again_in for one in waiting if one.again_in and one.again_in > timedelta()]
        return min([seen.standing.left, *put_off]) + AFTER_DEADLINE
    lefts = [one.left if one.in_time and one.left else timedelta() for one in seen.unsettled]
    return min(lefts) + AFTER_DEADLINE if all(lefts) else BUSY
