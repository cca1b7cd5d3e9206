"""What stands in a database goes through a migration unharmed."""

from __future__ import annotations

import asyncpg

from core.embedded import EmbeddedPostgres
from tests.migrations.test_up_down_up import alembic, empty

__all__ = ["empty"]

BEFORE = """
    SET session_replication_role = replica;
    INSERT INTO pools (slot_id, code, authorised, held, sold) VALUES (1, 'ECONOMY', 8, 1, 2);
    INSERT INTO holds (id, status, minutes, created_at, expires_at, cap_at)
    SELECT CAST(id AS uuid), status, 15, now(), now(), now()
    FROM (VALUES ('00000000-0000-0000-0000-000000000001', 'BOOKED'), ('00000000-0000-0000-0000-000000000002', 'BOOKED'),
                 ('00000000-0000-0000-0000-000000000003', 'ACTIVE')) AS one (id, status);
    INSERT INTO hold_items (hold_id, slot_id, pool, quantity, units)
    SELECT id, 1, 'ECONOMY', 2, '{2A,2B}' FROM holds;
    INSERT INTO bookings (id, pnr, status, hold_id, email, total, currency, created_at)
    SELECT id, right(CAST(id AS text), 6), (ARRAY['CONFIRMED', 'CANCELLED'])[row_number() OVER (ORDER BY id)],
           id, 'ada@example.org', 1, 'USD', now()
    FROM holds WHERE status = 'BOOKED';
    SET session_replication_role = origin
"""


async def test_pools_have_what_was_authorised_and_cancelled_bookings_have_given_all_back(
    postgres: EmbeddedPostgres, empty: asyncpg.Connection
) -> None:
    alembic(postgres, "upgrade", "0001")
    await empty.execute(BEFORE)
    alembic(postgres, "upgrade", "0002")
    pool = await empty.fetchrow("SELECT * FROM pools")
    assert pool is not None
    assert dict(pool) == {
        "slot_id": 1,
        "code": "ECONOMY",
        "authorised": 8,
        "held": 1,
        "sold": 2,
        "capacity": 8,
        "overbooking": 0,
        "blocked": 0,
        "classes": [],
        "class_limits": [],
        "class_held": [],
        "class_sold": [],
    }
    returned = await empty.fetch("SELECT returned FROM hold_items ORDER BY hold_id")
    assert [row["returned"] for row in returned] == [0, 2, 0]
    alembic(postgres, "downgrade", "0001")
    assert await empty.fetchval("SELECT held + sold FROM pools") == 3


MONEY = """
    SET session_replication_role = replica;
    INSERT INTO bookings (id, pnr, status, hold_id, email, total, currency, created_at)
    SELECT gen_random_uuid(), 'ABC234', 'CANCELLED', gen_random_uuid(), 'ada@example.org', 100, 'USD', now();
    INSERT INTO payments (id, booking_id, gateway, method, status, amount, captured, refunded, currency, created_at)
    SELECT CAST('00000000-0000-0000-0000-00000000000a' AS uuid), id, 'stripe', 'pm', 'CAPTURED', 100, 100, 0, 'USD',
           now() - interval '9 hours' FROM bookings
    UNION ALL
    SELECT CAST('00000000-0000-0000-0000-00000000000b' AS uuid), id, 'stripe', 'pm', 'DECLINED', 100, 0, 0, 'USD', now()
    FROM bookings;
    INSERT INTO cancellation_quotes (id, booking_id, refund, fee, currency, reason, created_at, expires_at, used_at)
    SELECT gen_random_uuid(), id, 75, 25, 'USD', 'the fare', now(), now(), used
    FROM bookings CROSS JOIN (VALUES (now() - interval '3 hours'), (NULL)) AS quotes (used);
    INSERT INTO refunds (id, payment_id, status, amount, currency, reason, created_at)
    VALUES ('00000000-0000-0000-0000-00000000000c', '00000000-0000-0000-0000-00000000000a', 'FAILED', 75, 'USD',
            'the fare', now() - interval '2 hours');
    INSERT INTO transitions (id, machine, subject_id, from_status, to_status, actor, reason, at)
    SELECT gen_random_uuid(), 'refund', '00000000-0000-0000-0000-00000000000c', before, after, 'gateway', 'so', at
    FROM (VALUES (NULL, 'REQUESTED', now() - interval '2 hours'), ('REQUESTED', 'SUCCEEDED', now() - interval '1 hour'),
                 ('SUCCEEDED', 'FAILED', now())) AS moves (before, after, at);
    SET session_replication_role = origin
"""


async def test_money_that_moved_before_the_ledger_is_in_it(
    postgres: EmbeddedPostgres, empty: asyncpg.Connection
) -> None:
    alembic(postgres, "upgrade", "0005")
    await empty.execute(MONEY)
    alembic(postgres, "upgrade", "0006")
    postings = await empty.fetch("SELECT kind, debit, credit, amount FROM ledger ORDER BY at")
    assert [tuple(one) for one in postings] == [
        ("CAPTURED", "GATEWAY", "UNEARNED", 100),
        ("KEPT", "UNEARNED", "FEES", 25),
        ("OWED", "UNEARNED", "REFUNDS", 75),
        ("REFUNDED", "REFUNDS", "GATEWAY", 75),
        ("RETURNED", "GATEWAY", "REFUNDS", 75),
    ]
    alembic(postgres, "downgrade", "0005")
    assert await empty.fetchval("SELECT count(*) FROM payments") == 2


SEATS = """
    SET session_replication_role = replica;
    INSERT INTO passengers (id, booking_id, ordinal, type, first_name, last_name, date_of_birth)
    SELECT CAST(id AS uuid), CAST('00000000-0000-0000-0000-0000000000' || booking AS uuid), 0, 'ADULT', 'A', 'L', now()
    FROM (VALUES ('00000000-0000-0000-0000-00000000000d', '01'), ('00000000-0000-0000-0000-00000000000e', '02'))
        AS one (id, booking);
    INSERT INTO seat_assignments (passenger_id, slot_id, pool, unit)
    VALUES ('00000000-0000-0000-0000-00000000000d', 1, 'ECONOMY', '2A'),
           ('00000000-0000-0000-0000-00000000000d', 2, 'ECONOMY', '3A'),
           ('00000000-0000-0000-0000-00000000000e', 1, 'ECONOMY', '2B'),
           ('00000000-0000-0000-0000-00000000000e', 2, 'ECONOMY', '2B');
    INSERT INTO booking_lines (booking_id, ordinal, kind, label, amount)
    SELECT CAST('00000000-0000-0000-0000-0000000000' || booking AS uuid), ordinal, kind, label, 39
    FROM (VALUES ('01', 0, 'FARE', 'Main fare'), ('01', 1, 'SEAT', 'Seat 2A, extra legroom'),
                 ('02', 0, 'SEAT', 'Seat 2B, extra legroom'), ('02', 1, 'SEAT', 'Seat 2B, extra legroom'))
        AS line (booking, ordinal, kind, label);
    SET session_replication_role = origin
"""


async def test_lines_of_seats_name_the_seat_where_one_alone_can_be_meant(
    postgres: EmbeddedPostgres, empty: asyncpg.Connection
) -> None:
    alembic(postgres, "upgrade", "0010")
    await empty.execute(SEATS)
    await empty.execute("INSERT INTO products (kind, code, name) VALUES ('FLIGHT', 'UA1', 'United 1')")
    await empty.execute(
        "INSERT INTO slots (product_id, starts_at, ends_at, zone, status)"
        " SELECT 1, now(), now() + interval '6 hours', 'UTC', 'OPEN' FROM generate_series(1, 2)"
    )
    alembic(postgres, "upgrade", "0011")
    named = await empty.fetch("SELECT slot_id, unit FROM booking_lines ORDER BY booking_id, ordinal")
    assert [tuple(one) for one in named] == [(None, None), (1, "2A"), (None, None), (None, None)]
    alembic(postgres, "downgrade", "0010")
    assert await empty.fetchval("SELECT count(*) FROM booking_lines") == 4


async def test_rules_of_what_clients_claim_refuse_nobody_unless_staff_have_set_them(
    postgres: EmbeddedPostgres, empty: asyncpg.Connection
) -> None:
    asked = "SELECT name, verdict FROM fraud_rules WHERE name IN ('device_declines', 'email_declines', 'user_declines')"
    alembic(postgres, "upgrade", "0025")
    await empty.execute("UPDATE fraud_rules SET set_by = 'user:7', most = 4 WHERE name = 'device_declines'")
    before = {"device_declines": "BLOCK", "email_declines": "BLOCK", "user_declines": "BLOCK"}
    assert dict(await empty.fetch(asked)) == before
    alembic(postgres, "upgrade", "0026")
    assert dict(await empty.fetch(asked)) == before | {"email_declines": "REVIEW"}
    alembic(postgres, "downgrade", "0025")
    assert dict(await empty.fetch(asked)) == before
