"""Is a payment to go on? Asked before its gateway is, and again once that has promised the money.

Each rule is asked once, and the answer is kept with its numbers, for staff; whoever pays learns nothing of it. What was
decided stays: asked again, after a crash, a payment has the verdict that it had.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from prometheus_client import Counter

from core.db import dump_json
from core.rows import Scribe
from models import AssessedAt, FraudSubject, FraudVerdict, Payment, SignalKind
from services.fraud import signals
from services.fraud.measuring import measure
from services.fraud.payers import Payer
from services.gateways import UNKNOWN_RISK, Risk

BLOCKED = "blocked"
"""Our own decline code, in the history; whoever pays reads `generic_decline`."""

WORSE = tuple(FraudVerdict)
"""Verdicts, the mildest first."""

VERDICTS = Counter("jetway_fraud_verdicts_total", "Payments that went beyond rules, by verdict.", ["moment", "verdict"])


async def screen(scribe: Scribe, payment: Payment, payer: Payer) -> FraudVerdict:
    """The verdict on a payment that is begun, from what is known before its gateway is asked.

    BLOCK: it is not to be asked at all. REVIEW is for later: nothing is promised yet that staff could decide about.
    Locks what is counted by, so only rows that are locked already, or new, may be written after it.
    """
    await signals.add(scribe, payment, payer.keys, None)
    found = (await measure(scribe, payment, AssessedAt.INTENT, payer.keys)).findings
    verdict = worst(one["verdict"] for one in found)
    if found:
        await keep(scribe, payment, AssessedAt.INTENT, verdict, found, UNKNOWN_RISK)
    return verdict


async def assess(scribe: Scribe, payment: Payment, risk: Risk) -> FraudVerdict:
    """The verdict on a locked payment whose money is promised: the worst of all rules, now and before.

    Whoever writes AUTHORIZED asks in the same transaction. Asked again it is what it was.
    """
    keys = {} if risk.card is None else {FraudSubject.CARD: risk.card}
    await signals.add(scribe, payment, keys, risk.card)
    seen = await measure(scribe, payment, AssessedAt.ANSWER, keys, risk)
    if AssessedAt.ANSWER in seen.before:
        return seen.before[AssessedAt.ANSWER]
    verdict = worst([*seen.before.values(), *(one["verdict"] for one in seen.findings)])
    if seen.findings or verdict is not FraudVerdict.ALLOW:
        await keep(scribe, payment, AssessedAt.ANSWER, verdict, seen.findings, risk)
    if seen.counted and verdict is not FraudVerdict.BLOCK:
        await signals.repeat(scribe, payment, SignalKind.PROMISE, risk.card)
    return verdict


async def note_decline(scribe: Scribe, payment: Payment, code: str, risk: Risk) -> None:
    """Count that a bank, or the gateway, refused a locked payment. What was blocked here is not counted: that would
    keep whoever was blocked once blocked for ever."""
    if code == BLOCKED:
        return
    if risk.card is not None:
        await signals.add(scribe, payment, {FraudSubject.CARD: risk.card}, risk.card)
    await signals.repeat(scribe, payment, SignalKind.DECLINE, risk.card)


def worst(verdicts: Iterable[str]) -> FraudVerdict:
    """The worst of some verdicts; ALLOW where there are none."""
    return max((FraudVerdict(one) for one in verdicts), key=WORSE.index, default=FraudVerdict.ALLOW)


KEEP = """
    INSERT INTO fraud_assessments (payment_id, moment, verdict, findings, score, level, country)
    VALUES ($1, $2, $3, $4::jsonb, $5, $6, $7)
"""


async def keep(
    scribe: Scribe,
    payment: Payment,
    moment: AssessedAt,
    verdict: FraudVerdict,
    found: list[dict[str, Any]],
    risk: Risk,
) -> None:
    """Write what was found."""
    told = dump_json(found), risk.score, risk.level, risk.country
    await scribe.fetch(KEEP, payment.id, moment, verdict, *told)
    VERDICTS.labels(moment, verdict).inc()
