"""Who may watch, for as long as they do: asked when a stream begins, and again before each of its events.

A socket is closed when its sign-in ends; this is what holds where that news is late.
"""

from __future__ import annotations

from contextlib import AbstractContextManager
from dataclasses import dataclass
from uuid import UUID

from core.db import ReadSession
from core.errors import Unauthenticated
from models import Booking, UserSession
from resolvers import access
from resolvers.context import Context
from services import limits


@dataclass(frozen=True)
class AtOnce:
    """How many streams of a kind one viewer may have in one process: an account, or all the guests of one address."""

    name: str
    account: int
    address: int


BOOKINGS = AtOnce("bookingEvents", 20, 100)
PAYMENTS = AtOnce("paymentEvents", 20, 100)
PRICES = AtOnce("priceEvents", 5, 20)
"""Each costs a search every few seconds while its route is being sold."""

NOTICES = AtOnce("noticeEvents", 20, 0)


REVIEWS = AtOnce("reviewEvents", 20, 0)


def one_of(ctx: Context, kind: AtOnce) -> AbstractContextManager[None]:
    """Be one of the viewer's streams of that kind. Raises RateLimited on entering, where there are too many."""
    user = ctx.viewer.user_id
    client, most = (limits.grouped(ctx.ip), kind.address) if user is None else (str(user), kind.account)
    return ctx.app.turnstile.inside(kind.name, client, most)


def from_primary(ctx: Context) -> Context:
    """The same context, reading from the primary: a replica may not have yet what a stream was told."""
    ctx.writes = True
    return ctx


async def signed_in(session: ReadSession, ctx: Context) -> None:
    """Raises Unauthenticated where the viewer's sign-in has ended since; a guest has none that could."""
    if ctx.viewer.session_id is None:
        return
    signed = await session.get(UserSession, ctx.viewer.session_id)
    if signed is None or signed.revoked_at is not None:
        raise Unauthenticated("You have signed out.")


async def booking(session: ReadSession, ctx: Context, key: UUID, token: str | None) -> Booking:
    """The booking as it is now, for whoever may see it now. Raises Unauthenticated, Forbidden and NotFound."""
    await signed_in(session, ctx)
    return await access.booking_by_key(session, ctx, key, token)


async def staff(session: ReadSession, ctx: Context) -> None:
    """Raises Unauthenticated and Forbidden for whoever does not work here, or has signed out."""
    access.staff(ctx)
    await signed_in(session, ctx)


async def account(session: ReadSession, ctx: Context) -> UUID:
    """Who watches, where they are still signed in; raises Unauthenticated for everybody else."""
    await signed_in(session, ctx)
    return (await access.user(session, ctx)).id
