"""What is written down of what happened, and told."""

from __future__ import annotations

from services.invariants.asked import Invariant

TOLD_WITHIN = "1 minute"
"""How late a fact may be told before the relay counts as stopped."""

OF_RECORDS = (
    Invariant(
        "Every status is where its history ends",
        "SELECT (SELECT count(*) FROM bookings) + (SELECT count(*) FROM payments) + (SELECT count(*) FROM refunds)",
        """
        SELECT format('%s %s is %s, its history ends at %s', machine, subject, status, coalesce(last, 'nothing'))
        FROM (
            SELECT subjects.machine, subjects.subject, subjects.status,
                (SELECT to_status FROM transitions
                 WHERE transitions.subject_id = subjects.subject AND transitions.machine = subjects.machine
                 ORDER BY transitions.id DESC LIMIT 1) AS last
            FROM (SELECT 'booking' AS machine, id::text AS subject, status FROM bookings
                  UNION ALL SELECT 'payment', id::text, status FROM payments
                  UNION ALL SELECT 'amendment', id::text, status FROM amendments
                  UNION ALL SELECT 'refund', id::text, status FROM refunds
                  UNION ALL SELECT 'extra', id::text, status FROM booking_extras
                  UNION ALL SELECT 'hold', id::text, status FROM holds WHERE status <> 'ACTIVE') AS subjects) AS ends
        WHERE last IS DISTINCT FROM status
        """,
    ),
    Invariant(
        "What happened is told",
        "SELECT count(*) FROM relay_cursors",
        f"""
        SELECT format('%s of %s, recorded at %s, is not told to %s', kind, stream, recorded_at, sink)
        FROM facts JOIN relay_cursors ON facts.position IS NULL OR facts.position > relay_cursors.position
        WHERE recorded_at < clock_timestamp() - interval '{TOLD_WITHIN}'
        """,  # noqa: S608 - the interval above
    ),
)
"""What must hold of histories and facts."""
