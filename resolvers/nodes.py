"""`node`: anything that has an id, by it. Private things are for their signed-in owner alone."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import Any

import strawberry

from core import ids
from core.errors import Invalid, NotFound
from models import Airport
from resolvers import access, bookings, flights, holds, notices, users
from resolvers.context import Info
from resolvers.payments import ShownPayment


async def node(info: Info, id: strawberry.ID) -> Any:
    """The thing with that id; null where there is none, or none that is the viewer's. Raises Invalid (INVALID_ID)."""
    kind, _ = ids.split_global_id(id)
    find = FINDERS.get(kind)
    if find is None:
        raise Invalid("Nothing of this kind can be found by its id.", field="id", code="INVALID_ID")
    return await find(info, id)


async def find_airport(info: Info, id: strawberry.ID) -> Airport | None:
    """An airport, which everybody may see."""
    async with info.context.reading() as session:
        return await session.get(Airport, ids.key_of("Airport", id))


async def find_payment(info: Info, id: strawberry.ID) -> ShownPayment | None:
    """A payment of the viewer's."""
    async with info.context.reading() as session:
        try:
            return ShownPayment(await access.payment(session, info.context, id), owned=True)
        except NotFound:
            return None


async def find_user(info: Info, id: strawberry.ID) -> Any:
    """The viewer's own account."""
    return await users.me(info) if ids.uuid_of("User", id) == info.context.viewer.user_id else None


FINDERS: dict[str, Callable[[Info, strawberry.ID], Awaitable[Any]]] = {
    "Airport": find_airport,
    access.BOOKING_KIND: bookings.booking,
    flights.FLIGHT_KIND: flights.flight,
    access.HOLD_KIND: holds.hold,
    notices.NOTICE_KIND: notices.notice,
    access.PAYMENT_KIND: find_payment,
    "User": find_user,
}
