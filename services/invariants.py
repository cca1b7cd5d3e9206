"""What must always hold, asked of the database itself.

Each invariant counts what it looked at and names what breaks it. All of them read one snapshot (REPEATABLE READ), so
that a sale between two questions cannot look like a fault. Tests ask after every disaster, operators whenever they
like (`make invariants`).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from sqlalchemy import text

from core.db import Database, ReadSession

MOST_NAMED = 10
"""How many broken things an invariant names."""


SWEPT_WITHIN = "30 seconds"
"""How late a deadline may be written down before the sweepers count as stopped; they take a second."""

TOLD_WITHIN = "1 minute"
"""How late a fact may be told before the relay counts as stopped."""


@dataclass(frozen=True)
class Invariant:
    """`counted` is SQL for one number; `broken` is SQL for one line of text per fault."""

    name: str
    counted: str
    broken: str


@dataclass(frozen=True)
class Finding:
    """What an invariant found: how much it looked at, and the first faults. It holds where there are none."""

    name: str
    counted: int
    broken: Sequence[str]


SOLD = "('PAYMENT_PENDING', 'CONFIRMED', 'CHECKED_IN', 'COMPLETED', 'NO_SHOW')"
"""Bookings whose seats are sold, once their hold is BOOKED; for a moment, while the money is taken, PAYMENT_PENDING."""

INVARIANTS = (
    Invariant(
        "Claims are units of their slot's layout",
        "SELECT count(*) FROM claims",
        """
        SELECT format('slot %s has no unit %s', claims.slot_id, claims.unit)
        FROM claims LEFT JOIN slots ON slots.id = claims.slot_id
        LEFT JOIN layout_units AS place ON place.layout_id = slots.layout_id AND place.unit = claims.unit
        WHERE place.unit IS NULL
        """,
    ),
    Invariant(
        "A live claim belongs to a live hold, which keeps that very unit",
        "SELECT count(*) FROM claims WHERE status IN ('LOCKED', 'BOOKED', 'CHECKED_IN')",
        """
        SELECT format('slot %s unit %s is %s by hold %s, which is %s',
                      claims.slot_id, claims.unit, claims.status, claims.hold_id, coalesce(holds.status, 'missing'))
        FROM claims LEFT JOIN holds ON holds.id = claims.hold_id
        WHERE (claims.status = 'LOCKED' AND claims.expires_at > jetway_now()
               AND (holds.status IS DISTINCT FROM 'ACTIVE' OR holds.expires_at <> claims.expires_at))
           OR (claims.status IN ('BOOKED', 'CHECKED_IN') AND holds.status IS DISTINCT FROM 'BOOKED')
           OR (claims.status IN ('LOCKED', 'BOOKED', 'CHECKED_IN') AND NOT EXISTS (
                   SELECT FROM hold_items AS item
                   WHERE item.hold_id = claims.hold_id AND item.slot_id = claims.slot_id
                     AND claims.unit = ANY (item.units)))
        """,
    ),
    Invariant(
        "A live hold has every unit that it keeps",
        "SELECT count(*) FROM holds WHERE status = 'ACTIVE' AND expires_at > jetway_now()",
        """
        SELECT format('hold %s has lost %s of slot %s', holds.id, wanted.unit, item.slot_id)
        FROM holds JOIN hold_items AS item ON item.hold_id = holds.id
        CROSS JOIN unnest(item.units) AS wanted (unit)
        LEFT JOIN claims ON claims.slot_id = item.slot_id AND claims.unit = wanted.unit
        WHERE holds.status = 'ACTIVE' AND holds.expires_at > jetway_now()
          AND (claims.hold_id IS DISTINCT FROM holds.id OR claims.status <> 'LOCKED')
        """,
    ),
    Invariant(
        "No hold outlives its cap and one payment",
        "SELECT count(*) FROM holds WHERE status = 'ACTIVE'",
        """
        SELECT format('hold %s lasts until %s', id, expires_at)
        FROM holds WHERE status = 'ACTIVE' AND expires_at > cap_at + interval '10 minutes'
        """,
    ),
    Invariant(
        "A hold whose deadline has passed is written down at once",
        "SELECT count(*) FROM holds WHERE status = 'ACTIVE' AND expires_at <= jetway_now()",
        f"""
        SELECT format('hold %s ended at %s', id, expires_at)
        FROM holds WHERE status = 'ACTIVE' AND expires_at <= jetway_now() - interval '{SWEPT_WITHIN}'
        """,  # noqa: S608 - the interval above
    ),
    Invariant(
        "Pools count what their holds keep and have sold",
        "SELECT count(*) FROM pools",
        """
        SELECT format('slot %s %s: %s held, %s kept, %s sold, %s owned', pools.slot_id, pools.code, pools.held,
                      coalesce(kept.held, 0), pools.sold, coalesce(kept.sold, 0))
        FROM pools LEFT JOIN (
            SELECT item.slot_id, item.pool,
                   sum(item.quantity) FILTER (WHERE holds.status = 'ACTIVE') AS held,
                   sum(item.quantity - item.returned) FILTER (WHERE holds.status = 'BOOKED') AS sold
            FROM hold_items AS item JOIN holds ON holds.id = item.hold_id AND holds.status IN ('ACTIVE', 'BOOKED')
            GROUP BY item.slot_id, item.pool) AS kept
          ON kept.slot_id = pools.slot_id AND kept.pool = pools.code
        WHERE pools.held <> coalesce(kept.held, 0) OR pools.sold <> coalesce(kept.sold, 0)
        """,
    ),
    Invariant(
        "Booking classes count what holds keep and have sold in them",
        "SELECT coalesce(sum(cardinality(classes)), 0) FROM pools",
        """
        SELECT format('slot %s %s %s: %s held, %s kept, %s sold, %s owned', slot_id, pool, class, counted.held,
                      coalesce(kept.held, 0), counted.sold, coalesce(kept.sold, 0))
        FROM (
            SELECT pools.slot_id, pools.code AS pool, here.class, here.held, here.sold
            FROM pools CROSS JOIN unnest(classes, class_held, class_sold) AS here (class, held, sold)) AS counted
        FULL JOIN (
            SELECT item.slot_id, item.pool, item.booking_class AS class,
                   sum(item.quantity) FILTER (WHERE holds.status = 'ACTIVE') AS held,
                   sum(item.quantity - item.returned) FILTER (WHERE holds.status = 'BOOKED') AS sold
            FROM hold_items AS item JOIN holds ON holds.id = item.hold_id AND holds.status IN ('ACTIVE', 'BOOKED')
            WHERE item.booking_class IS NOT NULL
            GROUP BY item.slot_id, item.pool, item.booking_class) AS kept
          USING (slot_id, pool, class)
        WHERE coalesce(counted.held, 0) <> coalesce(kept.held, 0) OR coalesce(counted.sold, 0) <> coalesce(kept.sold, 0)
        """,
    ),
    Invariant(
        "Pools have blocked the seats that staff keep from sale",
        "SELECT count(*) FROM claims WHERE status = 'BLOCKED'",
        """
        SELECT format('slot %s %s: %s blocked, %s counted', pools.slot_id, pools.code, coalesce(kept.units, 0),
                      pools.blocked)
        FROM pools LEFT JOIN (
            SELECT claims.slot_id, place.section, count(*) AS units
            FROM claims JOIN slots ON slots.id = claims.slot_id
            JOIN layout_units AS place ON place.layout_id = slots.layout_id AND place.unit = claims.unit
            WHERE claims.status = 'BLOCKED' GROUP BY claims.slot_id, place.section) AS kept
          ON kept.slot_id = pools.slot_id AND kept.section = pools.code
        WHERE pools.blocked <> coalesce(kept.units, 0)
        """,
    ),
    Invariant(
        "The seats that are held, sold and blocked are no more than there are",
        "SELECT count(*) FROM claims WHERE status <> 'AVAILABLE'",
        """
        SELECT format('slot %s %s: %s seats taken, %s blocked, of %s', pools.slot_id, pools.code, taken.units,
                      pools.blocked, pools.capacity)
        FROM pools JOIN (
            SELECT claims.slot_id, place.section, count(*) AS units
            FROM claims JOIN slots ON slots.id = claims.slot_id
            JOIN layout_units AS place ON place.layout_id = slots.layout_id AND place.unit = claims.unit
            WHERE claims.status IN ('BOOKED', 'CHECKED_IN')
               OR (claims.status = 'LOCKED' AND claims.expires_at > jetway_now())
            GROUP BY claims.slot_id, place.section) AS taken
          ON taken.slot_id = pools.slot_id AND taken.section = pools.code
        WHERE taken.units > pools.capacity - pools.blocked
        """,
    ),
    Invariant(
        "No more is held and sold than is authorised, and no more authorised than may be",
        "SELECT count(*) FROM pools",
        """
        SELECT format('slot %s %s: %s held, %s sold, %s authorised of %s and %s', slot_id, code, held, sold, authorised,
                      capacity, overbooking)
        FROM pools WHERE held < 0 OR sold < 0 OR held + sold > authorised OR authorised > capacity + overbooking
        """,
    ),
    Invariant(
        "Pools have sold what bookings own",
        "SELECT count(*) FROM pools",
        f"""
        SELECT format('slot %s %s: %s sold, %s owned', pools.slot_id, pools.code, pools.sold,
                      coalesce(owned.quantity, 0))
        FROM pools LEFT JOIN (
            SELECT slot_id, pool, sum(quantity) AS quantity FROM (
            SELECT seat.slot_id, seat.pool, count(*) AS quantity
            FROM seat_assignments AS seat
            JOIN passengers ON passengers.id = seat.passenger_id
            JOIN bookings ON bookings.id = passengers.booking_id AND bookings.status IN {SOLD}
            JOIN holds ON holds.id = bookings.hold_id AND holds.status = 'BOOKED'
            GROUP BY seat.slot_id, seat.pool
            UNION ALL
            SELECT item.slot_id, item.pool, item.quantity
            FROM amendments JOIN hold_items AS item ON item.hold_id = amendments.hold_id
            WHERE amendments.status = 'PAYMENT_PENDING' AND amendments.sold_at IS NOT NULL
            UNION ALL
            SELECT slot_id, pool, quantity FROM booking_extras
            WHERE status = 'ISSUED' AND pool IS NOT NULL) AS places
            GROUP BY slot_id, pool) AS owned
          ON owned.slot_id = pools.slot_id AND owned.pool = pools.code
        WHERE pools.sold <> coalesce(owned.quantity, 0)
        """,  # noqa: S608 - the statuses above
    ),
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
        "A booking's hold keeps the counted extras that its passengers have",
        "SELECT count(*) FROM booking_extras WHERE pool IS NOT NULL AND status IN ('ORDERED', 'ISSUED')",
        """
        SELECT format('booking %s: hold %s keeps %s of slot %s %s, its passengers have %s', bookings.pnr, holds.id,
                      coalesce(kept.quantity, 0), slot_id, pool, coalesce(had.quantity, 0))
        FROM (SELECT booking_id, slot_id, pool, sum(quantity) AS quantity FROM booking_extras
              WHERE pool IS NOT NULL AND status IN ('ORDERED', 'ISSUED')
              GROUP BY booking_id, slot_id, pool) AS had
        FULL JOIN (
            SELECT bookings.id AS booking_id, item.slot_id, item.pool, item.quantity - item.returned AS quantity
            FROM bookings JOIN hold_items AS item ON item.hold_id = bookings.hold_id AND item.pool LIKE 'extra:%'
            ) AS kept USING (booking_id, slot_id, pool)
        JOIN bookings ON bookings.id = booking_id
        JOIN holds ON holds.id = bookings.hold_id AND holds.status IN ('ACTIVE', 'BOOKED')
        WHERE bookings.status NOT IN ('EXPIRED', 'FAILED', 'CANCELLED')
          AND coalesce(kept.quantity, 0) <> coalesce(had.quantity, 0)
        """,
    ),
    Invariant(
        "A booking that is over keeps no seats",
        "SELECT count(*) FROM bookings WHERE status IN ('EXPIRED', 'FAILED', 'CANCELLED')",
        """
        SELECT format('booking %s is %s, its hold %s %s', bookings.pnr, bookings.status, holds.id, holds.status)
        FROM bookings JOIN holds ON holds.id = bookings.hold_id
        WHERE bookings.status IN ('EXPIRED', 'FAILED', 'CANCELLED') AND (
            (holds.status = 'ACTIVE' AND holds.expires_at > jetway_now())
            OR (holds.status = 'BOOKED' AND EXISTS (
                SELECT FROM hold_items AS item WHERE item.hold_id = holds.id AND item.returned < item.quantity)))
        """,
    ),
    Invariant(
        "A change that is over keeps nothing of its own",
        "SELECT count(*) FROM amendments WHERE status IN ('APPLIED', 'EXPIRED', 'FAILED')",
        """
        SELECT format('amendment %s is %s, its hold %s %s', amendments.id, amendments.status, holds.id, holds.status)
        FROM amendments JOIN holds ON holds.id = amendments.hold_id AND holds.booking_id = amendments.booking_id
        WHERE amendments.status IN ('APPLIED', 'EXPIRED', 'FAILED') AND (
            (holds.status = 'ACTIVE' AND holds.expires_at > jetway_now())
            OR (holds.status = 'BOOKED' AND EXISTS (
                SELECT FROM hold_items AS item WHERE item.hold_id = holds.id AND item.returned < item.quantity)))
        """,
    ),
    Invariant(
        "A confirmed booking owns its places",
        "SELECT count(*) FROM bookings WHERE status IN ('CONFIRMED', 'CHECKED_IN')",
        """
        WITH places AS (
            SELECT bookings.pnr, bookings.hold_id, seat.slot_id, seat.pool, seat.unit
            FROM bookings JOIN passengers ON passengers.booking_id = bookings.id
            JOIN seat_assignments AS seat ON seat.passenger_id = passengers.id
            WHERE bookings.status IN ('CONFIRMED', 'CHECKED_IN'))
        SELECT format('booking %s does not own %s of slot %s', places.pnr, places.unit, places.slot_id)
        FROM places LEFT JOIN claims ON claims.slot_id = places.slot_id AND claims.unit = places.unit
        WHERE places.unit IS NOT NULL
          AND (claims.hold_id IS DISTINCT FROM places.hold_id OR claims.status NOT IN ('BOOKED', 'CHECKED_IN'))
        UNION ALL
        SELECT format('booking %s owns %s of slot %s %s, for %s', places.pnr,
                      coalesce(item.quantity - item.returned, 0), places.slot_id, places.pool, count(*))
        FROM places LEFT JOIN hold_items AS item
          ON item.hold_id = places.hold_id AND item.slot_id = places.slot_id AND item.pool = places.pool
        GROUP BY places.pnr, places.slot_id, places.pool, item.quantity, item.returned
        HAVING count(*) <> coalesce(item.quantity - item.returned, 0)
        """,
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


async def check(db: Database) -> list[Finding]:
    """Ask every invariant of one snapshot, in order."""
    async with db.reading(primary=True) as session:
        await session.connection(execution_options={"isolation_level": "REPEATABLE READ"})
        return await ask(session)


async def ask(session: ReadSession) -> list[Finding]:
    """Ask every invariant of what the session's transaction sees, in order."""
    findings = []
    for invariant in INVARIANTS:
        counted: int = (await session.execute(text(invariant.counted))).scalar_one()
        broken = await session.scalars(text(f"{invariant.broken} LIMIT {MOST_NAMED}"))
        findings.append(Finding(invariant.name, counted, list(broken)))
    return findings
