"""What happened to payments, counted by what their payers are known by. Rows are added, and go when nobody counts them.

Whoever counts has locked what is counted by before, to the end of the transaction: of two payments of one card at once
the second counts the first. Cards are locked before pools, for they are known when a promise is sold or a decline puts
places back; what else payers are known by, last of all, when a payment is begun. So nobody waits in a circle.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import timedelta

from sqlalchemy import delete, func, select, tuple_

from core.db import Session
from core.rows import Scribe
from models import FraudSignal, FraudSubject, Payment, SignalKind

KEPT = timedelta(days=30)
"""How long signals are kept: the longest window of a rule."""

LOCK = "SELECT pg_advisory_xact_lock(key) FROM unnest($1::bigint[]) AS wanted (key)"

ADD = """
    INSERT INTO fraud_signals (payment_id, kind, subject, key, card, amount, currency)
    SELECT $1, 'ATTEMPT', subject, key, $4, $5, $6 FROM unnest($2::text[], $3::bytea[]) AS known (subject, key)
    ON CONFLICT DO NOTHING
"""

REPEAT = """
    INSERT INTO fraud_signals (payment_id, kind, subject, key, card, amount, currency)
    SELECT payment_id, $2, subject, key, $3, amount, currency FROM fraud_signals
    WHERE payment_id = $1 AND kind = 'ATTEMPT'
    ON CONFLICT DO NOTHING
"""


async def add(scribe: Scribe, payment: Payment, keys: Mapping[FraudSubject, bytes], card: bytes | None) -> None:
    """Write that a payment was begun, under each of those keys, which are locked; once for each."""
    if not keys:
        return
    await scribe.fetch(LOCK, locks(keys.values()))
    subjects, hashes = [str(subject) for subject in keys], list(keys.values())
    await scribe.fetch(ADD, payment.id, subjects, hashes, card, payment.amount, payment.currency)


async def repeat(scribe: Scribe, payment: Payment, kind: SignalKind, card: bytes | None) -> None:
    """Write what happened to a payment, under everything under which it was begun; once."""
    await scribe.fetch(REPEAT, payment.id, str(kind), card)


def locks(keys: Iterable[bytes]) -> list[int]:
    """What stands for those keys among advisory locks, in the order in which they are taken."""
    return sorted(int.from_bytes(key[:8], signed=True) for key in keys)


async def prune(session: Session, limit: int) -> int:
    """Remove up to `limit` signals that no window reaches any more; how many were."""
    old = FraudSignal.at < select(func.jetway_now()).scalar_subquery() - KEPT
    key = (FraudSignal.payment_id, FraudSignal.kind, FraudSignal.subject)
    chosen = select(*key).where(old).order_by(FraudSignal.at).limit(limit).with_for_update(skip_locked=True)
    found = (await session.execute(chosen)).all()
    if found:
        await session.execute(delete(FraudSignal).where(tuple_(*key).in_([tuple(one) for one in found])))
    return len(found)
