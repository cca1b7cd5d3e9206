"""The only doors to a private row.

A signed-in owner needs nothing more; everybody else presents the token that was signed for exactly this row. A wrong
token is refused before anything is looked up, so that nobody learns from the answer whether the row exists; without
one, what is not yours is not found.
"""

from __future__ import annotations

from uuid import UUID

from core import ids
from core.db import ReadSession
from core.errors import Forbidden, NotFound, Unauthenticated
from core.keys import Keyring
from core.rows import Reader
from models import Amendment, Booking, CancellationQuote, Hold, Payment, Role, User
from resolvers.context import Context
from services import bookings, holds
from services.bookings import Link

HOLD_KIND = "Hold"
BOOKING_KIND = "Booking"
PAYMENT_KIND = "Payment"
SHARE_KIND = "Share"

STAFF = frozenset({Role.STAFF, Role.ADMIN})
"""Who may change inventory."""


def token_for(keyring: Keyring, kind: str, key: UUID) -> str:
    """The token that proves its bearer to own the row of that kind and key; always the same while its key signs."""
    return keyring.sign(f"owner-of-{kind.lower()}", key.bytes)


def proven(ctx: Context, kind: str, key: UUID, token: str | None) -> bool:
    """Whether `token` proves ownership of the row; False without one. Raises Forbidden for a wrong one."""
    if token is None:
        return False
    if ctx.app.keyring.verify(f"owner-of-{kind.lower()}", token) != key.bytes:
        raise Forbidden(f"This token is not that of the {kind.lower()}.", code="WRONG_TOKEN")
    return True


def is_owner(ctx: Context, owner_id: UUID | None) -> bool:
    """Whether the viewer is signed in as that owner."""
    return owner_id is not None and owner_id == ctx.viewer.user_id


async def hold(reader: Reader, ctx: Context, hold_id: str, token: str | None, field: str = "holdId") -> Hold:
    """The hold, for its owner or whoever presents its token. Raises Invalid (the id), Forbidden, NotFound."""
    key = ids.uuid_of(HOLD_KIND, hold_id, field)
    by_token = proven(ctx, HOLD_KIND, key, token)
    found = await holds.by_id(reader, key)
    if found is None or not (by_token or is_owner(ctx, found.owner_id)):
        raise NotFound("There is no such hold, or it is not yours.")
    return found


async def booking(
    reader: Reader, ctx: Context, booking_id: str, token: str | None, field: str = "bookingId"
) -> Booking:
    """The booking, for its owner or whoever presents its token. Raises Invalid (the id), Forbidden, NotFound."""
    return await booking_by_key(reader, ctx, ids.uuid_of(BOOKING_KIND, booking_id, field), token)


async def booking_by_key(reader: Reader, ctx: Context, key: UUID, token: str | None) -> Booking:
    """The same by its key."""
    by_token = proven(ctx, BOOKING_KIND, key, token)
    found = await bookings.by_id(reader, key)
    if found is None or not (by_token or is_owner(ctx, found.owner_id)):
        raise NotFound("There is no such booking, or it is not yours.")
    return found


async def quoted_booking(
    session: ReadSession,
    ctx: Context,
    kind: type[Amendment] | type[CancellationQuote],
    quote_id: UUID,
    token: str | None,
) -> Booking:
    """The booking that a cancellation or a change was quoted for, for whoever may see it; NotFound for everybody else.

    A wrong token is not told apart from an unknown quote, because the row has to be read to know whose token it takes.
    """
    quote: Amendment | CancellationQuote | None = await session.get(kind, quote_id)
    try:
        if quote is not None:
            return await booking_by_key(session, ctx, quote.booking_id, token)
    except Forbidden:
        pass
    raise NotFound("There is no such quote, or it is not yours.")


async def payment(session: ReadSession, ctx: Context, payment_id: str) -> Payment:
    """The payment, for the owner of its booking. Raises Invalid (the id) and NotFound."""
    found = await session.get(Payment, ids.uuid_of(PAYMENT_KIND, payment_id))
    if found is None:
        raise NotFound("There is no such payment, or it is not yours.")
    await booking_by_key(session, ctx, found.booking_id, None)
    return found


def share_key(share_id: str | None) -> UUID | None:
    """The key of a share, which counts for nothing without its booking. Raises Invalid (the id)."""
    return None if share_id is None else ids.uuid_of(SHARE_KIND, share_id, "shareId")


def payment_link(ctx: Context, token: str) -> Link:
    """What a payment link names: whoever has it may pay just that. Raises Forbidden for a token that is none."""
    link = bookings.read_link(ctx.app.keyring, token)
    if link is None:
        raise Forbidden("This is not a payment link.", code="WRONG_TOKEN")
    return link


async def user(session: ReadSession, ctx: Context) -> User:
    """The viewer's own account; raises Unauthenticated for a guest."""
    found = await session.get(User, ctx.viewer.user_id) if ctx.viewer.user_id else None
    if found is None:
        raise Unauthenticated("Sign in first.")
    return found


def staff(ctx: Context) -> None:
    """Raises Unauthenticated for a guest, and Forbidden for whoever does not work here."""
    if ctx.viewer.is_guest:
        raise Unauthenticated("Sign in first.")
    if ctx.viewer.role not in STAFF:
        raise Forbidden("This is for staff.")


def administrators(ctx: Context) -> None:
    """Raises Unauthenticated for a guest, and Forbidden for whoever does not look after Jetway itself."""
    if ctx.viewer.is_guest:
        raise Unauthenticated("Sign in first.")
    if ctx.viewer.role != Role.ADMIN:
        raise Forbidden("This is for administrators.")
