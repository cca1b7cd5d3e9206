"""Seats, places and counted extras: who owns them, and what pools, holds and bookings say of each other."""

from __future__ import annotations

from services.invariants.asked import SOLD, Invariant

SWEPT_WITHIN = "30 seconds"
"""How late a deadline may be written down before the sweepers count as stopped; they take a second."""

KEEPS = """(
            (holds.status = 'ACTIVE' AND holds.expires_at > jetway_now())
            OR (holds.status = 'BOOKED' AND EXISTS (
                SELECT FROM hold_items AS item WHERE item.hold_id = holds.id AND item.returned < item.quantity)))"""
"""That a hold keeps something still, alive or sold."""

OF_PLACES = (
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
        f"""
        SELECT format('booking %s is %s, its hold %s %s', bookings.pnr, bookings.status, holds.id, holds.status)
        FROM bookings JOIN holds ON holds.id = bookings.hold_id
        WHERE bookings.status IN ('EXPIRED', 'FAILED', 'CANCELLED') AND {KEEPS}
        """,  # noqa: S608 - the condition above
    ),
    Invariant(
        "A change that is over keeps nothing of its own",
        "SELECT count(*) FROM amendments WHERE status IN ('APPLIED', 'EXPIRED', 'FAILED')",
        f"""
        SELECT format('amendment %s is %s, its hold %s %s', amendments.id, amendments.status, holds.id, holds.status)
        FROM amendments JOIN holds ON holds.id = amendments.hold_id AND holds.booking_id = amendments.booking_id
        WHERE amendments.status IN ('APPLIED', 'EXPIRED', 'FAILED') AND {KEEPS}
        """,  # noqa: S608 - the condition above
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
)
"""What must hold of what is scarce."""
