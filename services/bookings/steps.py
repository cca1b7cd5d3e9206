"""The steps of the saga. Each asks a gateway about one payment with nothing locked, and writes in one transaction what
came of that; or it is one transaction alone. Taken again after a crash, or by two at once, it is done once.

Each returns whether there may be another step at once; False where somebody else is waited for. One that has brought
about all there is to know returns that, so that nobody need look.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import timedelta

from core.db import Database
from core.log import logger
from core.money import Money
from core.rows import Scribe
from models import FraudVerdict, Payment, PaymentStatus, PostingKind
from services import fraud, holds, jobs, ledger, notices, payments, refunds
from services.bookings import retrying
from services.bookings.calling_off import BUSY, called_off, drop_orphan
from services.bookings.purposes import Stage
from services.bookings.reviewing import hold_back
from services.bookings.situation import PROMISED, Attempt, Situation, gone_on, unchanged
from services.gateways import (
    Approved,
    Authorised,
    Captured,
    Declined,
    GatewayRefused,
    NeedsAction,
    Outcome,
    Processing,
    Voided,
    explain,
)
from services.holds import HoldExpired, PlacesGone, PoolKey, SalesClosed
from services.transitions import Cause

AGREED = Cause(actor="saga", reason="the payment is authorised")
CLOSED = "its flight was not sold any more by then"

log = logger("bookings")


async def authorise(seen: Situation, one: Attempt) -> bool | Situation:
    """Have the money promised."""
    return await write(seen, one, await one.gateway.authorise(one.order))


async def find(seen: Situation, one: Attempt) -> bool | Situation:
    """The seats are gone and nobody knows whether the payment ever reached the gateway: look for it there."""
    outcome = await one.gateway.find(one.order)
    if outcome is None:
        return await give_up(seen, one, None, "the gateway never heard of it")
    return await write(seen, one, outcome)


async def ask(seen: Situation, one: Attempt) -> bool | Situation:
    """Has the payer, or the gateway, done what we wait for? Once the seats are gone, the payment is called off.

    A bank that takes days is waited for until the payment's own deadline; the seats are anybody's meanwhile.
    """
    outcome = await one.gateway.fetch(one.known_to_gateway)
    if isinstance(outcome, NeedsAction | Processing) and seen.standing.dead and not one.in_time:
        return await call_off(seen, one, "nobody confirmed it in time")
    return await write(seen, one, outcome)


async def write(seen: Situation, one: Attempt, outcome: Outcome) -> bool | Situation:
    """Write what the gateway says of a payment that is not authorised yet."""
    match outcome:
        case Approved():
            return await confirm(seen, one, outcome)
        case NeedsAction():
            return await note(seen, one, PaymentStatus.REQUIRES_ACTION, outcome)
        case Processing():
            return await note(seen, one, PaymentStatus.PROCESSING, outcome)
        case Authorised() | Captured():
            # Captured by somebody else than us: our own capture, the step after the next, is told so.
            return await note(seen, one, PaymentStatus.AUTHORIZED, outcome)
        case Declined():
            return await declined(seen, one, outcome)
        case Voided():
            return await give_up(seen, one, outcome, "called off at the gateway")


async def declined(seen: Situation, one: Attempt, outcome: Declined) -> bool | Situation:
    """The bank said no: for good, or, where the payer is not there, until it is asked again."""
    if outcome.gateway_id is not None and retrying.wants_payer(seen, one, outcome):
        answer = await retrying.ask_payer(one, outcome.gateway_id)
        if not isinstance(answer, Declined):
            return await write(seen, one, answer)
        outcome = answer
    if retrying.may_pass(seen, one, outcome):
        return await retrying.put_off(seen, one, outcome)
    # So that nobody confirms it later with its client secret, and pays for a booking that is not waiting.
    if outcome.gateway_id and not await called_off(seen.db, one.gateway, outcome.gateway_id, one.id):
        return False
    return await give_up(seen, one, outcome, f"declined: {outcome.code}")


async def ask_again(seen: Situation, one: Attempt) -> bool | Situation:
    """The bank had said no, for a reason that may have passed by now: ask it again, once it is time."""
    if one.again_in is not None and one.again_in > timedelta():
        return False
    return await write(seen, one, await retrying.ask_again(one))


async def confirm(seen: Situation, one: Attempt, approved: Approved) -> bool | Situation:
    """The payer has agreed: have the money promised, unless the seats are gone."""
    if seen.standing.dead:
        if not await called_off(seen.db, one.gateway, approved.gateway_id, one.id):
            return False
        gone = Voided(gateway_id=approved.gateway_id)
        return await give_up(seen, one, gone, "its seats were gone when the payer agreed")
    outcome = await one.gateway.confirm(approved.gateway_id, one.key("confirm"))
    return not isinstance(outcome, Approved) and await write(seen, one, outcome)


async def note(
    seen: Situation, one: Attempt, to: PaymentStatus, outcome: NeedsAction | Processing | Authorised | Captured
) -> bool | Situation:
    """Write that a payment came further; with the last promise that was missing, sell what all are for at once."""
    if to is one.status:
        return False
    last = seen.promised + one.order.amount.minor_units >= seen.standing.price
    selling = to is PaymentStatus.AUTHORIZED and last and not seen.standing.dead
    try:
        payment, verdict, sold = await noted(seen, one, to, outcome, selling=selling)
    except (HoldExpired, SalesClosed):
        # The promise is written alone then, and `sell` finds what follows.
        payment, verdict, sold = await noted(seen, one, to, outcome, selling=False)
    if payment is None:
        await drop_orphan(seen.db, one, outcome.gateway_id)
    elif isinstance(outcome, Authorised | Captured) and verdict is not FraudVerdict.ALLOW:
        return await doubt(seen, one, outcome, verdict)
    return gone_on(seen, one, to, outcome.gateway_id, Stage.SOLD) if sold and seen.is_plain else True


async def noted(
    seen: Situation,
    one: Attempt,
    to: PaymentStatus,
    outcome: NeedsAction | Processing | Authorised | Captured,
    *,
    selling: bool,
) -> tuple[Payment | None, FraudVerdict, bool]:
    """In one transaction: write how far a payment came, unless it is doubted; `selling`: sell what it is for.

    Returns the payment, None where somebody else has gone on; the verdict on it; and whether it was sold here. Raises
    what `sell` does.
    """
    verdict, stage, sold = FraudVerdict.ALLOW, Stage.SOLD, False
    async with seen.purpose.begin(seen.db) as scribe:
        if selling:
            stage = await seen.purpose.lock_all(scribe)
        else:
            await seen.purpose.lock(scribe)
        payment, others = await unchanged(scribe, seen, one)
        if payment is not None and isinstance(outcome, Authorised | Captured):
            verdict = await fraud.assess(scribe, payment, outcome.risk)
        if payment is not None and verdict is FraudVerdict.ALLOW:
            payment.gateway_id = outcome.gateway_id
            payment.client_secret = getattr(outcome, "client_secret", payment.client_secret)
            payment.redirect_url = getattr(outcome, "redirect_url", None)
            if isinstance(outcome, Processing) and outcome.patience is not None:
                payment.deadline_at = payment.created_at + outcome.patience
            cause = Cause(actor="gateway", reason=f"the gateway answered {type(outcome).__name__}")
            await payments.move(scribe, payment, to, f"payment.{to.lower()}", cause)
            sold = stage is Stage.OPEN and covered(seen, [payment, *others])
            if sold:
                await seen.purpose.sell(scribe, AGREED)
    return payment, verdict, sold


def covered(seen: Situation, live: Iterable[Payment]) -> bool:
    """Whether what is promised and taken of some locked payments makes up the price of what they are for."""
    return sum(one.amount for one in live if one.status in PROMISED) >= seen.standing.price


async def doubt(
    seen: Situation, one: Attempt, outcome: Authorised | Captured, verdict: FraudVerdict
) -> bool | Situation:
    """Hold back a payment that is promised, for staff; or let go of it, where it is blocked, or its seats are gone.

    The verdict is written by now, so whoever comes after a crash has the same.
    """
    if verdict is FraudVerdict.BLOCK:
        blocked = Declined(gateway_id=outcome.gateway_id, code=fraud.BLOCKED, risk=outcome.risk)
        return await write(seen, one, blocked)
    if not seen.standing.dead:
        return await hold_back(seen, one, outcome)
    if not await called_off(seen.db, one.gateway, outcome.gateway_id, one.id):
        return False
    gone = Voided(gateway_id=outcome.gateway_id)
    return await give_up(seen, one, gone, "its seats were gone before anybody could look at it", late=True)


async def sell(seen: Situation, one: Attempt) -> bool:
    """All of the money is promised: sell what it is for, in one transaction.

    What is lost by then is looked for again. What nobody may sell any more is forsaken first, so that its payments are
    called off though its deadline has not passed.
    """
    try:
        async with seen.purpose.begin(seen.db) as scribe:
            if await seen.purpose.lock_all(scribe) is Stage.OPEN:
                await seen.purpose.sell(scribe, AGREED)
    except HoldExpired:
        return await sell_late(seen, one)
    except SalesClosed:
        if not seen.standing.dead:
            return await forsake(seen, CLOSED)
        return await call_off(seen, one, CLOSED, late=True)
    return True


async def sell_late(seen: Situation, one: Attempt) -> bool:
    """The money came when the hold was dead: sell what it kept, where that is found again.

    Where it is not, `one`, the first of the payments, is called off, and the others after it.
    """
    try:
        if await found_again(seen):
            return True
    except SalesClosed:
        return await call_off(seen, one, CLOSED, late=True)
    return await call_off(seen, one, "its seats were somebody else's by then", late=True)


async def found_again(seen: Situation) -> bool:
    """Sell again what a dead hold kept; whether that is done, by us or by somebody else. Raises SalesClosed.

    Expired holds that fill a cabin are written down, in a transaction of their own, and it is looked for once more.
    """
    for asked_before in (False, True):
        try:
            async with seen.db.transaction() as session:
                if not await seen.purpose.sell_late(session, Cause(actor="saga", reason="the payment came late")):
                    raise Outrun
            return True
        except Outrun:
            return True
        except PlacesGone as gone:
            if asked_before or not await relieved(seen.db, gone.pools):
                return False
        except HoldExpired:
            return False
    return False


class Outrun(Exception):
    """Somebody else has gone on: what this transaction has begun is undone."""


async def relieved(db: Database, pools: Sequence[PoolKey]) -> bool:
    """Write down the expired holds that fill those pools; whether there were any."""
    async with db.transaction() as session:
        return await holds.expire_due_in(session, pools) > 0


async def forsake(seen: Situation, reason: str) -> bool:
    """Write that the purpose cannot be sold, whatever its deadline; its payments are called off by the next steps."""
    async with seen.purpose.begin(seen.db) as scribe:
        if await seen.purpose.lock_all(scribe) is Stage.OPEN:
            await seen.purpose.forsake(scribe, Cause(actor="saga", reason=reason))
    return True


async def capture(seen: Situation, one: Attempt) -> bool | Situation:
    """Take the money; with the last of it the purpose is confirmed.

    Money that came for a purpose which was undone meanwhile stays as it is here: `let_go` finds it, and sends it back.
    """
    try:
        taken = await one.gateway.capture(one.known_to_gateway, one.due, one.key("capture"))
    except GatewayRefused as refusal:
        log.warning("capture.refused", payment=str(one.id), code=refusal.code)
        if not await called_off(seen.db, one.gateway, one.known_to_gateway, one.id):
            return False
        return await undo(seen, one, refusal.code)
    async with seen.purpose.begin(seen.db) as scribe:
        done = await seen.purpose.lock(scribe) and await captured(scribe, seen, one, taken.amount)
    return gone_on(seen, one, PaymentStatus.CAPTURED, one.gateway_id, Stage.OVER) if done and seen.is_plain else True


async def captured(scribe: Scribe, seen: Situation, one: Attempt, amount: Money) -> bool:
    """Write that the money of a payment of a locked purpose was taken; whether nothing is left to be done for it."""
    payment, others = await unchanged(scribe, seen, one)
    if payment is None:
        return False
    payment.captured = amount.minor_units
    cause = Cause(actor="saga", reason="the money is there")
    await payments.move(scribe, payment, PaymentStatus.CAPTURED, "payment.captured", cause)
    await ledger.post(scribe, PostingKind.CAPTURED, payment.booking_id, payment.id, amount)
    exact = not one.due < amount
    if not exact:
        await refunds.request(scribe, payment, amount - one.due, "The charge of a seat that was lost.", cause)
    if not all(other.status in payments.TAKEN for other in others):
        return False
    await seen.purpose.confirm(scribe, cause)
    all_exact = exact and all(other.captured == other.amount - other.waived for other in others)
    done = all_exact and seen.purpose.amendment_id is None
    if done:
        await jobs.forget(scribe, payment.booking_id)
    return done


async def call_off(seen: Situation, one: Attempt, reason: str, *, late: bool = False) -> bool:
    """Have the gateway let go of the payment, then give it up; once it can, where it cannot yet.

    `late`: the money was there, and came too late for what it was for.
    """
    if not await called_off(seen.db, one.gateway, one.known_to_gateway, one.id):
        return False
    return await give_up(seen, one, None, reason, late=late)


async def out_of_time(seen: Situation, one: Attempt) -> bool:
    """The deadline has passed, and not everybody has paid: what is promised is let go."""
    if one.status is PaymentStatus.REVIEW:
        return await call_off(seen, one, "nobody approved it")
    return await call_off(seen, one, "the rest was not paid in time", late=True)


async def let_go(seen: Situation, one: Attempt) -> bool:
    """The purpose is over, and this payment of it is not: have nothing left of it at the gateway, and void it."""
    gateway_id = one.gateway_id
    if gateway_id is None:
        found = await one.gateway.find(one.order)
        gateway_id = None if found is None else found.gateway_id
    if gateway_id is not None and not await called_off(seen.db, one.gateway, gateway_id, one.id):
        return False
    outcome = None if gateway_id is None else Voided(gateway_id=gateway_id)
    return await give_up(seen, one, outcome, "what it was for has ended")


async def give_up(
    seen: Situation, one: Attempt, outcome: Declined | Voided | None, reason: str, *, late: bool = False
) -> bool:
    """Give a payment up of which nothing is promised any more; the last of its purpose puts that back.

    `outcome` None: it was us who called the payment off. `late`: whoever booked is told that the money goes back.
    """
    async with seen.purpose.begin(seen.db) as scribe:
        stage = await seen.purpose.lock_all(scribe)
        payment, others = await unchanged(scribe, seen, one)
        if stage is not seen.stage or payment is None:
            return True
        payment.gateway_id = payment.gateway_id or (outcome.gateway_id if outcome else None)
        payment.redirect_url = None
        if outcome is None and payment.gateway_id is None:
            await jobs.drop_payment(scribe, payment.id, BUSY)
        payable = stage is Stage.OPEN and not seen.standing.dead
        if isinstance(outcome, Declined) or (isinstance(outcome, Voided) and payable):
            why = explain(outcome.code if isinstance(outcome, Declined) else "cancelled")
            payment.decline_code, payment.decline_message = why.code, why.message
        to = PaymentStatus.DECLINED if isinstance(outcome, Declined) else PaymentStatus.VOIDED
        cause = Cause(actor="saga", reason=reason)
        await payments.move(scribe, payment, to, f"payment.{to.lower()}", cause)
        if late:
            await notices.of_money_returned(scribe, payment, one.order.amount)
        if isinstance(outcome, Declined):
            # Before pools: whoever sells on a promise of the same card has locked the card, and wants those next.
            await fraud.note_decline(scribe, payment, outcome.code, outcome.risk)
        if stage is Stage.OPEN and not others:
            await seen.purpose.put_back(scribe, cause)
    return True


async def undo(seen: Situation, one: Attempt, code: str) -> bool:
    """The money of one payment cannot be had: void it, send back what the others have brought, and undo the sale.

    Those that are promised still are let go by the next steps.
    """
    async with seen.db.transaction() as session:
        stage = await seen.purpose.lock_all(session)
        payment, others = await unchanged(session, seen, one)
        if stage is not Stage.SOLD or payment is None:
            return True
        cause = Cause(actor="saga", reason=f"capture refused: {code}")
        await payments.move(session, payment, PaymentStatus.VOIDED, "payment.voided", cause)
        await refunds.give_back_rest(session, others, "The payment of another share was refused.", cause)
        await seen.purpose.undo(session, cause)
    return True
