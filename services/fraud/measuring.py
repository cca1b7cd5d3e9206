"""Holding a payment against every rule that can be asked by then: one statement, which counts and compares."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import orjson

from core.rows import Scribe
from models import AssessedAt, FraudSubject, FraudVerdict, Payment
from services.gateways import UNKNOWN_RISK, Risk

MEASURE = """
    WITH known AS (SELECT subject, key FROM unnest($3::text[], $4::bytea[]) AS given (subject, key)),
    measured AS (
        SELECT rule.name AS rule, rule.measure, rule.subject, rule.seconds, rule.currency, rule.most, rule.verdict,
            CASE WHEN rule.measure = 'SCORE' THEN $8::bigint
                 WHEN rule.measure = 'FOREIGN_CARD' THEN (
                     SELECT CASE WHEN $9::text IS NULL OR bool_or(place.country = $9::text) THEN 0 ELSE 1 END
                     FROM booking_segments AS segment JOIN flights AS flight ON flight.slot_id = segment.slot_id
                     JOIN airports AS place ON place.iata_code IN (flight.origin_code, flight.destination_code)
                     WHERE segment.booking_id = $2)
                 WHEN rule.subject = 'PAYMENT' THEN $5::bigint
                 ELSE (
                     SELECT CASE rule.measure
                         WHEN 'PAYMENTS' THEN count(*) FILTER (WHERE signal.kind = 'ATTEMPT')
                         WHEN 'DECLINES' THEN count(*) FILTER (WHERE signal.kind = 'DECLINE')
                         WHEN 'CARDS' THEN count(DISTINCT signal.card)
                         ELSE $5::bigint + coalesce(sum(signal.amount) FILTER (
                             WHERE signal.kind = 'PROMISE' AND signal.currency = $6
                               AND signal.payment_id <> $1), 0) END
                     FROM fraud_signals AS signal
                     WHERE signal.key = known.key
                       AND signal.at > (SELECT jetway_now()) - make_interval(secs => rule.seconds)) END AS measured
        FROM fraud_rules AS rule LEFT JOIN known ON known.subject = rule.subject
        WHERE (rule.subject = 'PAYMENT' OR known.key IS NOT NULL) AND (rule.currency IS NULL OR rule.currency = $6)
          AND (rule.subject = 'CARD' OR rule.measure IN ('SCORE', 'FOREIGN_CARD')) = $7)
    SELECT (SELECT coalesce(jsonb_agg(to_jsonb(one) ORDER BY rule), '[]')::text FROM measured AS one
            WHERE measured > most),
           (SELECT coalesce(jsonb_object_agg(moment, verdict), '{}')::text FROM fraud_assessments
            WHERE payment_id = $1),
           EXISTS (SELECT FROM fraud_signals WHERE payment_id = $1)
"""
"""A rule is asked once for each payment, as soon as what it measures is known: what the gateway tells ($7) when it has
answered, everything else before it is asked."""


@dataclass(frozen=True)
class Measured:
    """The rules that a payment goes beyond, by name, each with what was measured (`models.FraudAssessment`); the
    verdicts on it that were written before, by when; and whether anything is counted of it."""

    findings: list[dict[str, Any]]
    before: Mapping[AssessedAt, FraudVerdict]
    counted: bool


async def measure(
    scribe: Scribe,
    payment: Payment,
    moment: AssessedAt,
    keys: Mapping[FraudSubject, bytes],
    risk: Risk = UNKNOWN_RISK,
) -> Measured:
    """Hold a payment against the rules of that moment.

    Counted is what was written under `keys`, this payment's with the others'; amounts are those of all promises before
    and of this payment.
    """
    asked = (
        payment.id,
        payment.booking_id,
        [str(subject) for subject in keys],
        list(keys.values()),
        payment.amount,
        payment.currency,
        moment is AssessedAt.ANSWER,
        risk.score,
        risk.country,
    )
    ((found, before, counted),) = await scribe.fetch(MEASURE, *asked)
    verdicts = {AssessedAt(when): FraudVerdict(verdict) for when, verdict in orjson.loads(before).items()}
    return Measured(orjson.loads(found), verdicts, counted)
