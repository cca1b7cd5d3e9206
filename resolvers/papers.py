"""Papers of a booking: which there are, and the signed addresses at which whoever has one may fetch them."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from uuid import UUID

import strawberry

from core import clock
from core.errors import NotFound
from core.keys import Keyring
from models import Booking
from resolvers.bookings import ShownBooking
from resolvers.context import Application, Info
from services import limits, papers
from services.papers import PaperKind

PURPOSE = "paper"
LIFETIME = timedelta(minutes=15)
"""How long an address is good: enough to open or to pass on to a printer, too short to be worth finding later."""


@dataclass(frozen=True)
class Paper:
    """A paper that there is, and where it can be had until when."""

    kind: PaperKind
    url: str
    expires_at: datetime


@dataclass(frozen=True)
class Drawn:
    """A paper as a file."""

    name: str
    content: bytes


async def papers_of(root: strawberry.Parent[ShownBooking], info: Info) -> list[Paper] | None:
    """The papers of a booking; null for whoever does not own it."""
    if not root.owned:
        return None
    async with info.context.reading() as session:
        kinds = await papers.kinds_of(session, root.id)
    expires_at = clock.now().replace(microsecond=0) + LIFETIME
    keyring = info.context.app.keyring
    return [Paper(kind, f"/papers?token={sign(keyring, kind, root.id, expires_at)}", expires_at) for kind in kinds]


def sign(keyring: Keyring, kind: PaperKind, booking_id: UUID, expires_at: datetime) -> str:
    """The token of a paper's address."""
    return keyring.sign(PURPOSE, f"{kind} {booking_id.hex} {int(expires_at.timestamp())}".encode())


async def drawn(app: Application, token: str, ip: str) -> Drawn:
    """The paper that a token stands for, as things are now, for somebody at that address.

    Raises NotFound for a token that is not ours or is over, and RateLimited.
    """
    said = app.keyring.verify(PURPOSE, token)
    if said is None:
        raise NotFound("There is no such paper.")
    kind, key, until = said.decode().split()
    if clock.now() >= datetime.fromtimestamp(int(until), UTC):
        raise NotFound("This address is over. Ask for the booking's papers again.")
    await app.limiter.hit(limits.PAPERS, ip)
    async with app.database.reading() as session:
        kinds = await papers.kinds_of(session, UUID(key))
        booking = await session.get(Booking, UUID(key))
        if booking is None or kind not in kinds:
            raise NotFound("The booking has no such paper any more.")
        record = await papers.read(session, booking)
    async with app.printers:
        content = await asyncio.to_thread(papers.draw, PaperKind(kind), record)
    return Drawn(f"{booking.pnr}-{kind.lower().replace('_', '-')}.pdf", content)
