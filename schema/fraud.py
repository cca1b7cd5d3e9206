"""Fraud, as staff see it. Whoever pays sees none of this."""

from __future__ import annotations

from collections.abc import AsyncGenerator
from contextlib import aclosing
from dataclasses import dataclass
from datetime import datetime

import strawberry

from engine.limits import cost, list_size
from models import AssessedAt, FraudMeasure, FraudSubject, FraudVerdict, PaymentStatus, ReviewDecision
from models import FraudAssessment as AssessmentRow
from models import FraudRule as RuleRow
from resolvers import fraud as resolve
from resolvers import watching
from resolvers.context import Info
from schema.bookings import Booking, Contact
from schema.costs import READING
from schema.nodes import id_of, rows_of
from schema.paging import PageInfo
from schema.payments import Payment
from schema.problems import mutation, outcome
from schema.scalars import BigInt
from services.fraud import Review, SetFraudRule
from subscriptions.reviews import review_events as review_changes

strawberry.enum(FraudMeasure, description="What a rule measures.")
strawberry.enum(FraudSubject, description="By what a rule counts.")
strawberry.enum(FraudVerdict, description="What becomes of a payment.")
strawberry.enum(AssessedAt, description="When a payment was assessed.")
strawberry.enum(ReviewDecision, description="What staff decided about a payment.")
strawberry.input(SetFraudRule, name="SetFraudRuleInput", description="A rule, from the next payment on.")
strawberry.input(resolve.ApprovePaymentInput, description="Which payment goes on, and why.")
strawberry.input(resolve.RejectPaymentInput, description="Which payment is sent back, and why.")


@strawberry.type(description="A limit: a payment for which more than `most` is measured gets at least the verdict.")
class FraudRule:
    """`models.FraudRule`."""

    is_type_of = rows_of(RuleRow)

    name: str = strawberry.field(description="Its name.")
    measure: FraudMeasure = strawberry.field(description="What it measures.")
    subject: FraudSubject = strawberry.field(description="By what it counts.")
    seconds: int | None = strawberry.field(description="Its window; null where it looks at the payment alone.")
    currency: str | None = strawberry.field(description="The currency of an AMOUNT.")
    most: BigInt = strawberry.field(description="The limit; of an AMOUNT in minor units.")
    verdict: FraudVerdict = strawberry.field(description="What a payment beyond it gets, at least.")
    set_at: datetime = strawberry.field(description="Since when it is so.")
    set_by: str = strawberry.field(description="Who made it so.")
    reason: str = strawberry.field(description="Why.")


@strawberry.type(description="A rule that a payment went beyond, and by how much, as both were then.")
class FraudFinding:
    """`resolvers.fraud.Finding`."""

    rule: str = strawberry.field(description="The rule's name.")
    measure: FraudMeasure = strawberry.field(description="What it measured.")
    subject: FraudSubject = strawberry.field(description="By what it counted.")
    seconds: int | None = strawberry.field(description="Within which window.")
    currency: str | None = strawberry.field(description="The currency of an AMOUNT.")
    most: BigInt = strawberry.field(description="The limit.")
    measured: BigInt = strawberry.field(description="What was measured.")
    verdict: FraudVerdict = strawberry.field(description="What the rule asked for.")


@strawberry.type(description="What was found of a payment, before its gateway was asked or once that had answered.")
class FraudAssessment:
    """`models.FraudAssessment`."""

    is_type_of = rows_of(AssessmentRow)

    payment_id = strawberry.field(
        resolver=resolve.payment_id, graphql_type=strawberry.ID, description="The payment that was assessed."
    )
    moment: AssessedAt = strawberry.field(description="When.")
    verdict: FraudVerdict = strawberry.field(description="The worst of all that was found so far.")
    findings = strawberry.field(
        resolver=resolve.findings,
        graphql_type=list[FraudFinding],
        description="The rules that it went beyond, by name.",
        directives=[list_size(5)],
    )
    score: int | None = strawberry.field(description="The gateway's score, from 0 to 100.")
    level: str | None = strawberry.field(description="The gateway's word for it.")
    country: str | None = strawberry.field(description="Where the card was issued (ISO 3166-1).")
    at: datetime = strawberry.field(description="When it was written down.")


@strawberry.type(description="A payment that staff have to decide about, or have.")
class PaymentReview:
    """`services.fraud.Review`."""

    is_type_of = rows_of(Review)

    id = id_of(resolve.REVIEW_KIND)
    payment = strawberry.field(
        resolver=resolve.payment, graphql_type=Payment, description="The payment, as whoever pays sees it."
    )
    status: PaymentStatus = strawberry.field(description="How far the payment is in truth.")
    booking = strawberry.field(resolver=resolve.booking, graphql_type=Booking, description="What is paid.")
    contact = strawberry.field(
        resolver=resolve.contact, graphql_type=Contact, description="How to reach whoever booked."
    )
    assessments: list[FraudAssessment] = strawberry.field(description="Why.", directives=[list_size(2)])
    opened_at: datetime = strawberry.field(description="Since when it waits.")
    deadline_at: datetime = strawberry.field(description="Until when it can be decided; its seats are kept as long.")
    decision: ReviewDecision | None = strawberry.field(
        description="What was decided. Null while it waits, and where its time was over before anybody decided."
    )
    decided_at: datetime | None = strawberry.field(description="When.")
    decided_by: str | None = strawberry.field(description="By whom.")
    reason: str | None = strawberry.field(description="Why.")


@strawberry.type(description="A review in its place in the queue.")
class PaymentReviewEdge:
    """`core.paging.Edge`."""

    cursor: str = strawberry.field(description="Give it as `after` to go on behind this review.")
    node: PaymentReview = strawberry.field(description="The review.")


@strawberry.type(description="A page of the payments that wait for staff, the nearest deadline first.")
class PaymentReviewConnection:
    """`resolvers.fraud.Reviews`."""

    total_count: int = strawberry.field(description="How many wait.")
    edges: list[PaymentReviewEdge] = strawberry.field(description="The reviews of this page.")
    page_info: PageInfo = strawberry.field(description="Whether more follows.")


@dataclass(frozen=True)
class ShownReviews:
    """A change of what waits for staff, with those reviews as they are now."""

    cursor: str
    reset: bool
    reviews: list[Review]


@strawberry.type(description="Some payments that wait for staff, or were decided about, as they are now.")
class ReviewEvent:
    """`ShownReviews`."""

    cursor: str = strawberry.field(description="Come back with it as `after`.")
    reset: bool = strawberry.field(description="Whether what was missed is no longer known: forget what you had.")
    reviews: list[PaymentReview] = strawberry.field(
        description="First up to 50 that wait, the nearest deadline first; then those that begin or are decided.",
        directives=[list_size(20)],
    )


async def review_events(info: Info, after: str | None = None) -> AsyncGenerator[ShownReviews, None]:
    """What waits for staff, live. Raises Unauthenticated and Forbidden, also for whoever has signed out since."""
    ctx = watching.from_primary(info.context)
    async with ctx.reading() as session:
        await watching.staff(session, ctx)
    with watching.one_of(ctx, watching.REVIEWS):
        async with aclosing(review_changes(ctx.app.database, ctx.app.hub, after)) as changes:
            async for change in changes:
                async with ctx.reading() as session:
                    told = await resolve.changed(session, ctx, change.payments, whole=change.whole)
                yield ShownReviews(change.cursor, change.reset, told)


@strawberry.type
class FraudQueries:
    """What staff ask of fraud."""

    review_queue = strawberry.field(
        resolver=resolve.review_queue,
        graphql_type=PaymentReviewConnection | None,
        description="For staff: payments that wait for their decision, the nearest deadline first.",
        directives=[cost(READING), list_size(slicing_arguments=["first"], sized_fields=["edges"])],
    )
    fraud_assessments = strawberry.field(
        resolver=resolve.fraud_assessments,
        graphql_type=list[FraudAssessment] | None,
        description="For staff: which rules the payments of a booking went beyond, in order.",
        directives=[cost(READING)],
    )
    fraud_rules = strawberry.field(
        resolver=resolve.fraud_rules,
        graphql_type=list[FraudRule] | None,
        description="For staff: every rule that payments are held against, by name.",
        directives=[cost(READING)],
    )


@strawberry.type
class FraudMutations:
    """What staff do about fraud."""

    approve_payment = mutation(
        resolve.approve_payment,
        outcome("ApprovePaymentResult", PaymentReview),
        "For staff: let a payment that waits for you go on. Its seats are sold and its money is taken at once.",
    )
    reject_payment = mutation(
        resolve.reject_payment,
        outcome("RejectPaymentResult", PaymentReview),
        "For staff: call a payment that waits for you off. What it was for ends, and its seats are free again.",
    )
    set_fraud_rule = mutation(
        resolve.set_fraud_rule,
        outcome("SetFraudRuleResult", FraudRule),
        "For staff: make a rule, or change the one of that name. Who did it and why is kept.",
    )
