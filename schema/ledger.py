"""The ledger, as staff see it."""

from __future__ import annotations

from datetime import datetime

import strawberry

from engine.limits import cost
from models import LedgerAccount, PostingKind
from models import Posting as PostingRow
from resolvers import ledger as resolve
from schema.costs import READING
from schema.nodes import Money, rows_of
from services import ledger

strawberry.enum(
    LedgerAccount,
    description="Where money is (GATEWAY), to whom it is owed (UNEARNED, REFUNDS), or why it is ours (FEES, REVENUE).",
)
strawberry.enum(PostingKind, description="What moved money from one account to another.")


@strawberry.type(description="Money of a booking that moved from one account to another; never changed afterwards.")
class LedgerPosting:
    """`models.Posting`."""

    is_type_of = rows_of(PostingRow)

    kind: PostingKind = strawberry.field(description="What moved it.")
    debit: LedgerAccount = strawberry.field(description="The account that was debited.")
    credit: LedgerAccount = strawberry.field(description="The account that was credited.")
    amount = strawberry.field(resolver=resolve.amount, graphql_type=Money, description="How much.")
    at: datetime = strawberry.field(description="When it was written down.")


@strawberry.type(description="What one account holds of one currency.")
class LedgerBalance:
    """`services.ledger.Balance`."""

    is_type_of = rows_of(ledger.Balance)

    account: LedgerAccount = strawberry.field(description="The account.")
    debits: Money = strawberry.field(description="All that was debited.")
    credits: Money = strawberry.field(description="All that was credited.")
    balance: Money = strawberry.field(
        description="What is in it: debits less credits of the gateway's account, credits less debits of all others."
    )


@strawberry.type
class LedgerQueries:
    """What staff ask of the ledger."""

    ledger_balances = strawberry.field(
        resolver=resolve.ledger_balances,
        graphql_type=list[LedgerBalance] | None,
        description="For staff: what every account holds, by account and currency.",
        directives=[cost(READING)],
    )
    ledger_statement = strawberry.field(
        resolver=resolve.ledger_statement,
        graphql_type=list[LedgerPosting] | None,
        description="For staff: every movement of a booking's money, in order.",
        directives=[cost(READING)],
    )
