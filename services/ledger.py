"""The ledger: double entry, append-only, by currency.

Whoever writes that money was taken, is owed, went back or is ours posts it in the same transaction, so the ledger says
what payments, refunds and bookings say; `services/invariants/` holds them against each other. A correction is another
posting, never a change. Balances are sums, kept nowhere.

| kind             | debit    | credit   | when, once per                                              |
| ---------------- | -------- | -------- | ----------------------------------------------------------- |
| CAPTURED         | GATEWAY  | UNEARNED | a payment was captured                                      |
| OWED             | UNEARNED | REFUNDS  | a refund was requested                                      |
| KEPT             | UNEARNED | FEES     | a booking was cancelled on the terms of a quote with a fee  |
| REFUNDED         | REFUNDS  | GATEWAY  | a refund succeeded                                          |
| RETURNED         | GATEWAY  | REFUNDS  | a refund that had succeeded came back from the payer's bank |
| UNDUE            | GATEWAY  | REFUNDS  | a payment that was given up turned out to be captured       |
| UNDUE_RETURNED   | REFUNDS  | GATEWAY  | that money was sent back                                    |
| EARNED           | UNEARNED | REVENUE  | a booking was flown, or nobody came                         |
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from types import MappingProxyType
from uuid import UUID

from sqlalchemy import select, text

from core import clock
from core.db import ReadSession
from core.ids import uuid7
from core.journal import Book
from core.money import Money
from core.rows import Scribe
from models import LedgerAccount, Posting, PostingKind

ACCOUNTS = MappingProxyType(
    {
        PostingKind.CAPTURED: (LedgerAccount.GATEWAY, LedgerAccount.UNEARNED),
        PostingKind.OWED: (LedgerAccount.UNEARNED, LedgerAccount.REFUNDS),
        PostingKind.KEPT: (LedgerAccount.UNEARNED, LedgerAccount.FEES),
        PostingKind.REFUNDED: (LedgerAccount.REFUNDS, LedgerAccount.GATEWAY),
        PostingKind.RETURNED: (LedgerAccount.GATEWAY, LedgerAccount.REFUNDS),
        PostingKind.UNDUE: (LedgerAccount.GATEWAY, LedgerAccount.REFUNDS),
        PostingKind.UNDUE_RETURNED: (LedgerAccount.REFUNDS, LedgerAccount.GATEWAY),
        PostingKind.EARNED: (LedgerAccount.UNEARNED, LedgerAccount.REVENUE),
    }
)
"""The account that each kind debits, and the one that it credits."""

ASSETS = frozenset({LedgerAccount.GATEWAY})
"""Accounts whose balance is debits less credits; of all others it is credits less debits."""

BALANCES = text(
    """
    SELECT account, currency, sum(debit) AS debit, sum(credit) AS credit
    FROM (SELECT debit AS account, currency, amount AS debit, 0 AS credit FROM ledger
          UNION ALL SELECT credit, currency, 0, amount FROM ledger) AS halves
    GROUP BY account, currency ORDER BY account, currency
    """
)


@dataclass(frozen=True)
class Balance:
    """What one account holds of one currency: all debits, all credits, and their difference on the account's side."""

    account: LedgerAccount
    debits: Money
    credits: Money

    @property
    def balance(self) -> Money:
        """What is in it: less than nothing where more went out than came in."""
        ours = self.account in ASSETS
        return self.debits - self.credits if ours else self.credits - self.debits


POST = """INSERT INTO ledger (id, booking_id, kind, subject, debit, credit, amount, currency, at)
    SELECT id, booking_id, kind, subject, debit, credit, amount, currency, moment
    FROM unnest({}::uuid[], {}::uuid[], {}::text[], {}::uuid[], {}::text[], {}::text[], {}::bigint[], {}::text[],
                {}::timestamptz[])
         AS posting (id, booking_id, kind, subject, debit, credit, amount, currency, moment)"""
POSTINGS = Book("postings", POST)
POSTINGS_ONCE = Book("postings_once", f"{POST} ON CONFLICT DO NOTHING")


async def post(scribe: Scribe, kind: PostingKind, booking_id: UUID, subject: UUID, amount: Money) -> None:
    """Have it written that `amount`, more than nothing, of a booking's money moved because of `subject`.

    Where that was posted already the transaction fails: whoever moves a status posts, and a status moves once.
    """
    scribe.note(POSTINGS, *line(kind, booking_id, subject, amount))


async def post_once(scribe: Scribe, kind: PostingKind, booking_id: UUID, subject: UUID, amount: Money) -> None:
    """The same for what may be found out more than once: posted by whoever finds it first."""
    scribe.note(POSTINGS_ONCE, *line(kind, booking_id, subject, amount))


def line(kind: PostingKind, booking_id: UUID, subject: UUID, amount: Money) -> tuple[object, ...]:
    """The columns of a posting, in the order of POST."""
    debit, credit = ACCOUNTS[kind]
    return uuid7(), booking_id, kind, subject, debit, credit, amount.minor_units, amount.currency, clock.now()


async def statement(session: ReadSession, booking_id: UUID) -> Sequence[Posting]:
    """Every posting of a booking, in the order in which they were made."""
    found = await session.scalars(select(Posting).where(Posting.booking_id == booking_id).order_by(Posting.id))
    return found.all()


async def balances(session: ReadSession) -> list[Balance]:
    """What every account holds, by account and currency. Reads the whole ledger."""
    rows = await session.execute(BALANCES)
    return [
        Balance(LedgerAccount(row.account), Money(int(row.debit), row.currency), Money(int(row.credit), row.currency))
        for row in rows
    ]
