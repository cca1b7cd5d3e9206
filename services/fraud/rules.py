"""The rules that payments are held against: data that staff change, each change with who made it and why.

The first of them, and their limits, are written by the migration that made the table.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass

from sqlalchemy import func, select, text

from core.db import ReadSession, Session
from core.errors import Invalid
from models import FraudMeasure, FraudRule, FraudSubject, FraudVerdict
from services import outbox
from services.fraud.signals import KEPT
from services.transitions import Cause

NAME = re.compile(r"[a-z][a-z0-9_]{2,49}")
CURRENCY = re.compile(r"[A-Z]{3}")
SHORTEST, LONGEST = 60, int(KEPT.total_seconds())
"""Seconds that a window may have."""

MOST = 10**15
"""The largest limit: beyond any amount."""

ONE_AT_A_TIME = text("LOCK TABLE fraud_rules IN SHARE ROW EXCLUSIVE MODE")
"""Payments read the rules all the same."""

CLAIMED = frozenset({FraudSubject.DEVICE, FraudSubject.EMAIL})
"""What clients say of themselves, and nobody checks: whoever claims to be somebody else must not have them refused."""

OF_THE_PAYMENT = frozenset({FraudMeasure.SCORE, FraudMeasure.FOREIGN_CARD})


@dataclass(frozen=True, kw_only=True)
class SetFraudRule:
    """Write a rule: a new one, or another in the place of the one of that name.

    More than `most` of `measure`, counted by `subject` within `window_seconds`, brings at least `verdict`. `currency`
    is that of an AMOUNT, which is in its minor units.
    """

    name: str
    measure: FraudMeasure
    subject: FraudSubject
    window_seconds: int | None = None
    currency: str | None = None
    most: int
    verdict: FraudVerdict
    reason: str


async def rules(session: ReadSession) -> Sequence[FraudRule]:
    """Every rule, by name."""
    return (await session.scalars(select(FraudRule).order_by(FraudRule.name))).all()


async def set_rule(session: Session, command: SetFraudRule, cause: Cause) -> FraudRule:
    """Write a rule, from the next payment on; the same again changes nothing. Raises Invalid."""
    check(command)
    await session.execute(ONE_AT_A_TIME)
    rule = await session.get(FraudRule, command.name, populate_existing=True)
    before = None if rule is None else said(rule)
    if rule is None:
        rule = FraudRule(name=command.name)
        session.add(rule)
    rule.measure, rule.subject, rule.seconds = command.measure, command.subject, command.window_seconds
    rule.currency, rule.most, rule.verdict = command.currency, command.most, command.verdict
    if said(rule) != before:
        rule.set_by, rule.reason, rule.set_at = cause.actor, cause.reason, func.jetway_now()
        told = {"rule": rule.name, "from": before, "to": said(rule), "actor": cause.actor, "reason": cause.reason}
        await session.flush()
        await outbox.record(session, "fraud.rule_set", outbox.FRAUD_RULES, told)
        await session.refresh(rule)
    return rule


def said(rule: FraudRule) -> dict[str, str | int | None]:
    """What a rule says, as its fact tells it."""
    return {
        "measure": rule.measure,
        "subject": rule.subject,
        "seconds": rule.seconds,
        "currency": rule.currency,
        "most": rule.most,
        "verdict": rule.verdict,
    }


def check(command: SetFraudRule) -> None:
    """Raises Invalid for a rule that cannot be meant."""
    if not NAME.fullmatch(command.name):
        raise Invalid("A rule's name is 3 to 50 small letters, digits and underscores.", field="name")
    if not 0 <= command.most <= MOST:
        raise Invalid("A limit is a number from zero on.", field="most")
    whole = command.subject is FraudSubject.PAYMENT
    if command.measure is not FraudMeasure.AMOUNT and (command.measure in OF_THE_PAYMENT) != whole:
        raise Invalid(f"{command.measure} is not counted by {command.subject}.", field="subject")
    if command.measure is FraudMeasure.CARDS and command.subject is FraudSubject.CARD:
        raise Invalid("A card is one card.", field="subject")
    if command.verdict is FraudVerdict.BLOCK and command.subject in CLAIMED:
        raise Invalid(f"Anybody can claim to be another {command.subject}: it brings REVIEW at most.", field="verdict")
    if whole != (command.window_seconds is None):
        raise Invalid(
            "What is counted by a subject has a window, and a payment itself has none.", field="windowSeconds"
        )
    if command.window_seconds is not None and not SHORTEST <= command.window_seconds <= LONGEST:
        raise Invalid(f"A window has {SHORTEST} to {LONGEST} seconds.", field="windowSeconds")
    amounts, currency = command.measure is FraudMeasure.AMOUNT, command.currency
    if amounts != (currency is not None) or (currency is not None and not CURRENCY.fullmatch(currency)):
        raise Invalid("An AMOUNT is in one currency, and nothing else is.", field="currency")
