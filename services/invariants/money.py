"""Money, tickets and whatever is sold: what bookings, payments, refunds and the ledger say of each other."""

from __future__ import annotations

from services.invariants.asked import SOLD, Invariant

OF_MONEY = (
    Invariant(
        "An extra is worth what its booking is",
        "SELECT count(*) FROM booking_extras",
        f"""
        SELECT format('booking %s is %s, its hold %s, and %s of passenger %s is %s', bookings.pnr, bookings.status,
                      holds.status, extras.code, had.passenger_id, had.status)
        FROM booking_extras AS had JOIN extras ON extras.id = had.extra_id
        JOIN bookings ON bookings.id = had.booking_id JOIN holds ON holds.id = bookings.hold_id
        WHERE (had.status = 'ORDERED' AND bookings.status IN {SOLD} AND holds.status = 'BOOKED')
           OR (had.status = 'ISSUED' AND NOT (bookings.status IN {SOLD} AND holds.status = 'BOOKED'))
        """,  # noqa: S608 - the statuses above
    ),
    Invariant(
        "A payment in doubt goes on where staff approve it, and keeps its seats until they have",
        "SELECT count(*) FROM payment_reviews",
        """
        SELECT format('payment %s is %s, its review %s until %s, its hold %s until %s', payments.id, payments.status,
                      coalesce(review.decision, 'undecided'), review.deadline_at, holds.status, holds.expires_at)
        FROM payments LEFT JOIN payment_reviews AS review ON review.payment_id = payments.id
        LEFT JOIN bookings ON bookings.id = payments.booking_id AND payments.amendment_id IS NULL
        LEFT JOIN holds ON holds.id = bookings.hold_id
        WHERE (payments.status = 'REVIEW' AND (
                  review.payment_id IS NULL OR review.decision = 'APPROVED' OR holds.status = 'BOOKED'
                  OR (holds.status = 'ACTIVE' AND holds.expires_at < review.deadline_at)))
           OR (payments.status NOT IN ('REVIEW', 'VOIDED') AND review.payment_id IS NOT NULL
               AND review.decision IS DISTINCT FROM 'APPROVED')
        """,
    ),
    Invariant(
        "A booking costs what its lines add up to",
        "SELECT count(*) FROM bookings",
        """
        SELECT format('booking %s costs %s, its lines %s', bookings.pnr, bookings.total, sum(line.amount))
        FROM bookings LEFT JOIN booking_lines AS line ON line.booking_id = bookings.id
        GROUP BY bookings.id HAVING bookings.total <> coalesce(sum(line.amount), 0)
        """,
    ),
    Invariant(
        "Seats are charged to whoever sits there",
        "SELECT count(*) FROM booking_lines WHERE kind = 'SEAT'",
        """
        SELECT format('booking %s pays %s for seats on slot %s, and %s for those that are its own', bookings.pnr,
                      sum(line.amount), line.slot_id, coalesce(sum(line.amount) FILTER (WHERE own.taken), 0))
        FROM booking_lines AS line JOIN bookings ON bookings.id = line.booking_id
        CROSS JOIN LATERAL (
            SELECT EXISTS (
                SELECT FROM seat_assignments AS seat JOIN passengers ON passengers.id = seat.passenger_id
                WHERE passengers.booking_id = line.booking_id AND seat.slot_id = line.slot_id
                  AND seat.unit = line.unit) AS taken) AS own
        WHERE line.kind = 'SEAT' AND bookings.status = 'CONFIRMED'
        GROUP BY bookings.id, line.slot_id
        HAVING sum(line.amount) <> coalesce(sum(line.amount) FILTER (WHERE own.taken), 0)
        """,
    ),
    Invariant(
        "Shares add up to the price while it is being paid, and each is paid by itself",
        "SELECT count(*) FROM shares",
        """
        SELECT format('booking %s costs %s, its shares %s', bookings.pnr, bookings.total, sum(shares.amount))
        FROM bookings JOIN shares ON shares.booking_id = bookings.id AND shares.withdrawn_at IS NULL
        JOIN holds ON holds.id = bookings.hold_id AND holds.status <> 'BOOKED'
        WHERE bookings.status IN ('SEATS_LOCKED', 'PAYMENT_PENDING')
        GROUP BY bookings.id HAVING sum(shares.amount) <> bookings.total
        UNION ALL
        SELECT format('payment %s of share %s is of %s, the share of %s', payments.id, shares.id, payments.amount,
                      shares.amount)
        FROM payments JOIN shares ON shares.id = payments.share_id
        WHERE (payments.amount, payments.currency, payments.booking_id)
           <> (shares.amount, shares.currency, shares.booking_id)
           OR (shares.withdrawn_at IS NOT NULL AND payments.status NOT IN ('DECLINED', 'VOIDED'))
        UNION ALL
        SELECT format('payment %s of all of booking %s stands beside its shares', payments.id, payments.booking_id)
        FROM payments JOIN shares ON shares.booking_id = payments.booking_id AND shares.withdrawn_at IS NULL
        WHERE payments.share_id IS NULL AND payments.amendment_id IS NULL
          AND payments.status NOT IN ('DECLINED', 'VOIDED')
        """,
    ),
    Invariant(
        "A confirmed booking is paid in full, and has a ticket for each passenger and flight",
        "SELECT count(*) FROM bookings WHERE status = 'CONFIRMED'",
        """
        SELECT format('booking %s: %s of %s paid, %s of %s tickets', pnr, paid, total, issued, due)
        FROM (
            SELECT bookings.pnr, bookings.total,
                (SELECT coalesce(sum(captured), 0) FROM payments WHERE booking_id = bookings.id)
                  - (SELECT coalesce(sum(refunds.amount), 0) FROM refunds
                     JOIN payments ON payments.id = refunds.payment_id
                     WHERE payments.booking_id = bookings.id)
                  - (SELECT coalesce(sum(fee), 0) FROM cancellation_quotes
                     WHERE booking_id = bookings.id AND used_at IS NOT NULL)
                  - (SELECT coalesce(sum(penalty), 0) FROM amendments
                     WHERE booking_id = bookings.id AND status = 'APPLIED') AS paid,
                (SELECT count(*) FROM tickets JOIN passengers ON passengers.id = tickets.passenger_id
                 WHERE passengers.booking_id = bookings.id
                   AND (tickets.status = 'OPEN' OR (tickets.status = 'USED' AND passengers.cancelled_at IS NULL))
                ) AS issued,
                (SELECT count(*) FROM passengers WHERE booking_id = bookings.id AND cancelled_at IS NULL)
                    * (SELECT count(*) FROM booking_segments
                       WHERE booking_id = bookings.id AND cancelled_at IS NULL) AS due
            FROM bookings WHERE bookings.status = 'CONFIRMED') AS confirmed
        WHERE paid <> total OR issued <> due
        """,
    ),
    Invariant(
        "A booking that is over keeps no money that it does not owe, and no open ticket",
        "SELECT count(*) FROM bookings WHERE status IN ('EXPIRED', 'FAILED', 'CANCELLED')",
        """
        SELECT format('booking %s is %s with %s kept and %s open tickets', pnr, status, kept, open)
        FROM (
            SELECT bookings.pnr, bookings.status,
                (SELECT coalesce(sum(captured - refunded), 0) FROM payments WHERE booking_id = bookings.id)
                  - (SELECT coalesce(sum(refunds.amount), 0) FROM refunds
                     JOIN payments ON payments.id = refunds.payment_id
                     WHERE payments.booking_id = bookings.id AND refunds.status = 'REQUESTED')
                  - (SELECT coalesce(sum(fee), 0) FROM cancellation_quotes
                     WHERE booking_id = bookings.id AND used_at IS NOT NULL)
                  - (SELECT coalesce(sum(penalty), 0) FROM amendments
                     WHERE booking_id = bookings.id AND status = 'APPLIED') AS kept,
                (SELECT count(*) FROM tickets JOIN passengers ON passengers.id = tickets.passenger_id
                 WHERE passengers.booking_id = bookings.id AND tickets.status = 'OPEN') AS open
            FROM bookings WHERE bookings.status IN ('EXPIRED', 'FAILED', 'CANCELLED')) AS over
        WHERE kept <> 0 OR open <> 0
        """,
    ),
    Invariant(
        "The ledger has every capture, refund and fee once, and nothing else",
        "SELECT count(*) FROM ledger",
        """
        SELECT format('%s of %s: %s %s posted, %s %s due', kind, subject, coalesce(posted.amount, 0), posted.currency,
                      coalesce(due.amount, 0), due.currency)
        FROM (SELECT booking_id, kind, subject, amount, currency FROM ledger) AS posted
        FULL JOIN (
            SELECT booking_id, 'CAPTURED' AS kind, id AS subject, captured AS amount, currency
            FROM payments WHERE captured > 0
            UNION ALL
            SELECT booking_id, 'KEPT', id, fee, currency
            FROM cancellation_quotes WHERE used_at IS NOT NULL AND fee > 0
            UNION ALL
            SELECT id, 'EARNED', id, total, currency
            FROM bookings WHERE status IN ('COMPLETED', 'NO_SHOW') AND total > 0
            UNION ALL
            SELECT booking_id, 'KEPT', id, penalty, currency FROM amendments WHERE status = 'APPLIED' AND penalty > 0
            UNION ALL
            SELECT payments.booking_id, moved.kind, refunds.id, refunds.amount, refunds.currency
            FROM refunds JOIN payments ON payments.id = refunds.payment_id
            JOIN transitions ON transitions.subject_id = refunds.id::text AND transitions.machine = 'refund'
            CROSS JOIN (VALUES ('OWED', NULL, 'REQUESTED'), ('REFUNDED', 'REQUESTED', 'SUCCEEDED'),
                               ('RETURNED', 'SUCCEEDED', 'FAILED')) AS moved (kind, came_from, became)
            WHERE moved.came_from IS NOT DISTINCT FROM transitions.from_status AND moved.became = transitions.to_status
            UNION ALL
            SELECT taken.booking_id, undue.kind, taken.subject, taken.amount, bookings.currency
            FROM ledger AS taken JOIN bookings ON bookings.id = taken.booking_id
            LEFT JOIN payments ON payments.id = taken.subject
            CROSS JOIN (VALUES ('UNDUE'), ('UNDUE_RETURNED')) AS undue (kind)
            WHERE taken.kind = 'UNDUE' AND coalesce(payments.captured, 0) = 0) AS due
          USING (booking_id, kind, subject)
        WHERE (posted.amount, posted.currency) IS DISTINCT FROM (due.amount, due.currency)
        """,
    ),
    Invariant(
        "A booking's balances are what its status owes",
        "SELECT count(DISTINCT booking_id) FROM ledger",
        """
        SELECT format('booking %s is %s: %s of %s unearned, %s of %s to refund', pnr, status, unearned, owed, refunds,
                      requested)
        FROM (
            SELECT bookings.pnr, bookings.status,
                CASE WHEN bookings.status IN ('CONFIRMED', 'CHECKED_IN')
                     THEN bookings.total ELSE 0 END AS owed,
                (SELECT coalesce(sum(refunds.amount), 0) FROM refunds
                 JOIN payments ON payments.id = refunds.payment_id
                 WHERE payments.booking_id = bookings.id AND refunds.status <> 'SUCCEEDED') AS requested,
                coalesce(postings.unearned, 0) AS unearned, coalesce(postings.refunds, 0) AS refunds
            FROM bookings LEFT JOIN (
                SELECT booking_id,
                    sum(CASE 'UNEARNED' WHEN credit THEN amount WHEN debit THEN -amount ELSE 0 END) AS unearned,
                    sum(CASE 'REFUNDS' WHEN credit THEN amount WHEN debit THEN -amount ELSE 0 END) AS refunds
                FROM ledger GROUP BY booking_id) AS postings ON postings.booking_id = bookings.id) AS balances
        WHERE unearned <> owed OR refunds <> requested
        """,
    ),
)
"""What must hold of what is paid, owed and given for it."""
