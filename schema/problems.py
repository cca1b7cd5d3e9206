"""Problems: what a mutation answers instead of its result, one type per kind, shared by all mutations.

A refusal is raised by a service as a DomainError and becomes data here, in one table. `tests/contracts` walks the
errors and this table together.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Iterable
from datetime import datetime
from enum import StrEnum
from functools import reduce
from operator import or_
from typing import Annotated, Any
from uuid import UUID

import strawberry
from strawberry.extensions import FieldExtension

from core import errors, ids, telemetry
from engine.execution import batched
from models import Cabin
from resolvers.flights import FLIGHT_KIND
from resolvers.itineraries import new_offer, new_offers
from resolvers.travellers import PASSENGER_KIND
from schema.itineraries import Offer
from services import bookings, extras, holds, offers, payments, pools


@strawberry.enum(description="Why something was refused. Codes are stable; new ones may be added.")
class ProblemCode(StrEnum):
    """Every code that a problem, or an error's `extensions.code`, can have."""

    INVALID_INPUT = "INVALID_INPUT"
    INVALID_ID = "INVALID_ID"
    INVALID_CURSOR = "INVALID_CURSOR"
    INVALID_OFFER = "INVALID_OFFER"
    UNKNOWN_AIRPORT = "UNKNOWN_AIRPORT"
    BEYOND_SCHEDULE = "BEYOND_SCHEDULE"
    UNKNOWN_SEAT = "UNKNOWN_SEAT"
    UNKNOWN_POOL = "UNKNOWN_POOL"
    UNKNOWN_CLASS = "UNKNOWN_CLASS"
    NOT_FOUND = "NOT_FOUND"
    FORBIDDEN = "FORBIDDEN"
    UNAUTHENTICATED = "UNAUTHENTICATED"
    WRONG_TOKEN = "WRONG_TOKEN"  # noqa: S105 - a code, not a token
    RATE_LIMITED = "RATE_LIMITED"
    UNAVAILABLE = "UNAVAILABLE"
    CONFLICT = "CONFLICT"
    WRONG_STATE = "WRONG_STATE"
    IDEMPOTENCY_KEY_REUSED = "IDEMPOTENCY_KEY_REUSED"
    SEATS_TAKEN = "SEATS_TAKEN"
    SOLD_OUT = "SOLD_OUT"
    CLASS_CLOSED = "CLASS_CLOSED"
    NOT_AUTHORISED = "NOT_AUTHORISED"
    NO_SAFE_SEAT = "NO_SAFE_SEAT"
    EXTRA_SOLD_OUT = "EXTRA_SOLD_OUT"
    EXTRA_CLOSED = "EXTRA_CLOSED"
    EXTRA_NOT_OFFERED = "EXTRA_NOT_OFFERED"
    EXTRA_NOT_REFUNDABLE = "EXTRA_NOT_REFUNDABLE"
    EXTRA_NOT_FOR_INFANTS = "EXTRA_NOT_FOR_INFANTS"
    TOO_MANY_EXTRAS = "TOO_MANY_EXTRAS"
    UNKNOWN_EXTRA = "UNKNOWN_EXTRA"
    SEATS_CONTESTED = "SEATS_CONTESTED"
    SALES_CLOSED = "SALES_CLOSED"
    SETTLED = "SETTLED"
    REVIEW_OVER = "REVIEW_OVER"
    HOLD_EXPIRED = "HOLD_EXPIRED"
    HOLD_BOOKED = "HOLD_BOOKED"
    EXTENSION_LIMIT = "EXTENSION_LIMIT"
    OFFER_EXPIRED = "OFFER_EXPIRED"
    PRICE_CHANGED = "PRICE_CHANGED"
    PASSENGERS_DO_NOT_MATCH = "PASSENGERS_DO_NOT_MATCH"
    SEAT_GIVEN_TWICE = "SEAT_GIVEN_TWICE"
    SEAT_NOT_HELD = "SEAT_NOT_HELD"
    WRONG_CABIN = "WRONG_CABIN"
    SEATS_NOT_BOOKED = "SEATS_NOT_BOOKED"
    BOOKING_FAILED = "BOOKING_FAILED"
    PAYMENT_DECLINED = "PAYMENT_DECLINED"
    PAYMENT_UNDER_WAY = "PAYMENT_UNDER_WAY"
    ALREADY_PAID = "ALREADY_PAID"
    SPLIT = "SPLIT"
    SHARE_PAID = "SHARE_PAID"
    SHARE_WITHDRAWN = "SHARE_WITHDRAWN"
    QUOTE_EXPIRED = "QUOTE_EXPIRED"
    QUOTE_SPENT = "QUOTE_SPENT"
    MINORS_ALONE = "MINORS_ALONE"
    MORE_THAN_LEFT = "MORE_THAN_LEFT"
    FLIGHT_DEPARTED = "FLIGHT_DEPARTED"
    NOT_CHANGEABLE = "NOT_CHANGEABLE"
    CHANGES_CLOSED = "CHANGES_CLOSED"
    CHECKED_IN = "CHECKED_IN"
    OTHER_JOURNEY = "OTHER_JOURNEY"
    NAME_CHANGE_TOO_LARGE = "NAME_CHANGE_TOO_LARGE"
    CHANGE_FAILED = "CHANGE_FAILED"
    EMAIL_TAKEN = "EMAIL_TAKEN"


@strawberry.interface(description="A refusal. Nothing was changed.")
class Problem:
    """What every problem tells."""

    code: ProblemCode = strawberry.field(description="Stable: branch on it.")
    message: str = strawberry.field(description="A sentence for a person.")


@strawberry.type(description="Something in the input cannot be meant.")
class InvalidInput(Problem):
    """`core.errors.Invalid`."""

    field: str | None = strawberry.field(description="The path of the field in the input: passengers.0.seats.")


@strawberry.type(description="There is no such thing, or it is not yours.")
class NotFound(Problem):
    """`core.errors.NotFound`."""


@strawberry.type(description="You may not do this.")
class Forbidden(Problem):
    """`core.errors.Forbidden`."""


@strawberry.type(description="Too many; ask again later.")
class RateLimited(Problem):
    """`core.errors.RateLimited`."""

    retry_after_seconds: int = strawberry.field(description="When it may be asked again.")


@strawberry.type(description="The thing is in another state than the request assumes.")
class Conflict(Problem):
    """`core.errors.Conflict`."""


@strawberry.type(description="Something Jetway needs does not answer. The same request may be sent again.")
class Unavailable(Problem):
    """`core.errors.Unavailable`."""

    retry_after_seconds: int = strawberry.field(description="When to ask again.")


@strawberry.type(description="Seats of one flight that somebody else has.")
class TakenSeats:
    """Some seats of a flight."""

    flight_id: strawberry.ID = strawberry.field(description="The flight.")
    seats: list[str] = strawberry.field(description="The seats, by number.")


@strawberry.type(description="Some of the seats are somebody else's. None was held.")
class SeatsTaken(Problem):
    """`services.holds.SeatsTaken`."""

    taken: list[TakenSeats] = strawberry.field(description="Which.")


@strawberry.type(description="Fewer are left in a cabin of a flight than were asked for. None was held.")
class SoldOut(Problem):
    """`services.holds.SoldOut`."""

    flight_id: strawberry.ID = strawberry.field(description="The flight.")
    cabin: Cabin = strawberry.field(description="The cabin.")
    left: int = strawberry.field(description="How many may still be had.")


@strawberry.type(description="Less of an extra is left on a flight than was asked for. Nothing was booked.")
class ExtraSoldOut(Problem):
    """`services.extras.ExtraSoldOut`."""

    flight_id: strawberry.ID = strawberry.field(description="The flight.")
    extra: str = strawberry.field(description="The extra, by its code.")
    left: int = strawberry.field(description="How many may still be had.")


@strawberry.type(description="So many seats cannot be authorised of a cabin as it is now.")
class NotAuthorised(Problem):
    """`services.pools.NotAuthorised`."""

    least: int = strawberry.field(description="The least that it may be set to now.")
    most: int = strawberry.field(description="The most that it may be set to now.")


@strawberry.type(description="The hold has ended; its seats are free for everybody.")
class HoldExpired(Problem):
    """`services.holds.HoldExpired`."""

    expired_at: datetime = strawberry.field(description="When it ended.")


@strawberry.type(description="The offer cannot be booked as it is.")
class PriceChanged(Problem):
    """`services.offers.PriceChanged`."""

    renewed: strawberry.Private[offers.Offer | None]
    offer = strawberry.field(
        resolver=batched(new_offers)(new_offer),
        graphql_type=Offer | None,
        description="What it costs now; null where it is not sold any more.",
    )


@strawberry.type(description="The payment was declined; the hold is as it was before.")
class PaymentDeclined(Problem):
    """`services.payments.PaymentDeclined`."""

    decline_code: str = strawberry.field(description="The gateway's code: insufficient_funds.")
    retryable: bool = strawberry.field(description="Whether another try, or another card, may succeed.")


@strawberry.type(description="The quote has expired or was used.")
class QuoteExpired(Problem):
    """`services.bookings.QuoteExpired`."""


@strawberry.type(description="Children would be left without an adult of the booking.")
class MinorsAlone(Problem):
    """`services.bookings.MinorsAlone`."""

    passenger_ids: list[strawberry.ID] = strawberry.field(description="Those children.")


def taken_seats(error: holds.SeatsTaken) -> list[TakenSeats]:
    """The seats of the error, by the ids that clients know."""
    return [
        TakenSeats(flight_id=strawberry.ID(ids.global_id(FLIGHT_KIND, slot_id)), seats=seats)
        for slot_id, seats in error.taken.items()
    ]


def people(keys: Iterable[UUID]) -> list[strawberry.ID]:
    """Passengers, by the ids that clients know."""
    return [strawberry.ID(ids.global_id(PASSENGER_KIND, key)) for key in keys]


def sold_out(error: holds.SoldOut) -> dict[str, Any]:
    """Of what how many are left, by the ids that clients know."""
    flight_id = strawberry.ID(ids.global_id(FLIGHT_KIND, error.slot_id))
    return {"flight_id": flight_id, "cabin": Cabin(error.pool), "left": error.left}


def extra_sold_out(error: extras.ExtraSoldOut) -> dict[str, Any]:
    """Of which extra how many are left, by the ids that clients know."""
    flight_id = strawberry.ID(ids.global_id(FLIGHT_KIND, error.slot_id))
    return {"flight_id": flight_id, "extra": error.extra, "left": error.left}


Facts = Callable[[Any], dict[str, Any]]

TOLD_AS: tuple[tuple[type[errors.DomainError], type[Problem], Facts], ...] = (
    (holds.SeatsTaken, SeatsTaken, lambda error: {"taken": taken_seats(error)}),
    (holds.SoldOut, SoldOut, sold_out),
    (extras.ExtraSoldOut, ExtraSoldOut, extra_sold_out),
    (pools.NotAuthorised, NotAuthorised, lambda error: {"least": error.least, "most": error.most}),
    (holds.HoldExpired, HoldExpired, lambda error: {"expired_at": error.expired_at}),
    (offers.PriceChanged, PriceChanged, lambda error: {"renewed": error.offer}),
    (
        payments.PaymentDeclined,
        PaymentDeclined,
        lambda error: {"decline_code": error.decline_code, "retryable": error.retryable},
    ),
    (bookings.QuoteExpired, QuoteExpired, lambda _: {}),
    (bookings.MinorsAlone, MinorsAlone, lambda error: {"passenger_ids": people(error.left)}),
    (errors.Invalid, InvalidInput, lambda error: {"field": error.field}),
    (errors.NotFound, NotFound, lambda _: {}),
    (errors.Forbidden, Forbidden, lambda _: {}),
    (errors.RateLimited, RateLimited, lambda error: {"retry_after_seconds": error.retry_after}),
    (errors.Unavailable, Unavailable, lambda error: {"retry_after_seconds": error.retry_after}),
    (errors.Conflict, Conflict, lambda _: {}),
)
"""How each refusal is told, from the particular to the general: the first row that fits."""


def describe(error: errors.DomainError) -> Problem:
    """The problem that a refusal is told as."""
    problem, facts = next((problem, facts) for kind, problem, facts in TOLD_AS if isinstance(error, kind))
    return problem(code=ProblemCode(error.code), message=error.message, **facts(error))


class Refusals(FieldExtension):
    """Makes a mutation answer a problem where its resolver refuses."""

    async def resolve_async(
        self, next_: Callable[..., Awaitable[Any]], source: Any, info: strawberry.Info[Any, Any], **arguments: Any
    ) -> Any:
        info.context.writes = True
        try:
            return await next_(source, info, **arguments)
        except errors.DomainError as error:
            telemetry.PROBLEMS.labels(error.code).inc()
            return describe(error)


ALWAYS = (InvalidInput, NotFound, Forbidden, RateLimited, Conflict, Unavailable)
"""What any mutation may answer."""


def outcome(name: str, result: type, *particular: type) -> Any:
    """The union that a mutation answers: its result, the problems particular to it, and those of every mutation."""
    description = f"{result.__name__}, or why not."
    members: Any = reduce(or_, (result, *particular, *ALWAYS))
    return Annotated[members, strawberry.union(name, description=description)]


def mutation(resolver: Callable[..., Any], union: Any, description: str) -> Any:
    """A mutation field that answers `union`."""
    return strawberry.mutation(
        resolver=resolver, graphql_type=union | None, description=description, extensions=[Refusals()]
    )
