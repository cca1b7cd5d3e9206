"""What payments are made for, as the saga's steps need it: the sale of a booking, or a later change of it.

Steps ask gateways and write payments; what is sold for the money is a purpose's own affair. `sale.py` is the purpose of
payments without an amendment. The purpose of those with one is registered by whoever owns amendments, when that package
is imported: it needs the saga, so the saga cannot import it.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Collection
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Protocol
from uuid import UUID

from core.db import Database, Session
from core.rows import Reader, Scribe
from services.transitions import Cause


class Stage(StrEnum):
    """How far a purpose is: OPEN waits for its money, SOLD for it to be taken; OVER is APPLIED, CONFIRMED, or ended."""

    OPEN = "OPEN"
    SOLD = "SOLD"
    OVER = "OVER"


@dataclass(frozen=True, kw_only=True)
class Standing:
    """Where a purpose stands, as one moment showed it.

    `price` is what its payments must cover, in minor units of the booking's currency. `dead` tells that its hold keeps
    nothing any more, `left` how far the hold's deadline is away, negative once it has passed. Once it is SOLD or OVER,
    neither says anything.
    """

    stage: Stage
    price: int
    dead: bool
    left: timedelta


class Purpose(Protocol):
    """What some payments of one booking pay for.

    Every method but `standing` works in the transaction that it is given: it never commits and asks no gateway. It is
    called again after any crash, by the request, the webhook's job and the job behind the booking, also by two of them
    at once; so it decides by the rows that it has locked, never by what was seen before. Whoever calls one of the last
    six has called `lock_all` in the same transaction (`lock` is enough for `confirm`) and found the stage that the
    method is for. Each change of a status is told by the method that makes it, and only there.
    """

    @property
    def amendment_id(self) -> UUID | None:
        """The amendment that is paid; None: the sale itself."""

    def begin(self, db: Database) -> AbstractAsyncContextManager[Scribe]:
        """The cheapest transaction in which the methods below that take a scribe do their work; a session serves all of
        them."""

    async def standing(self, reader: Reader) -> Standing:
        """Where it stands now, read without locks. Raises NotFound."""

    async def lock(self, scribe: Scribe) -> bool:
        """Lock the booking, then the purpose's own row; whether it is OPEN or SOLD. Raises NotFound."""

    async def lock_all(self, scribe: Scribe) -> Stage:
        """Lock the claims of its hold, the hold, the booking, and its own row; where it stands. Raises NotFound."""

    async def sell_late(self, session: Session, cause: Cause) -> bool:
        """OPEN, and its hold has died: find again what that kept, and do as `sell` does.

        Comes first in its transaction and locks everything itself, in the order of `lock_all`. False where somebody
        else has gone on; the transaction has to end without a commit then. Raises as `sell` does, and holds.PlacesGone
        where expired holds may be what fills a pool: asked once more when they are written down, it may succeed. One
        that looks for nothing again raises holds.HoldExpired.
        """

    async def linger(self, scribe: Scribe, span: timedelta) -> datetime:
        """OPEN: keep what its hold keeps for `span` from now, as far as that may last; returns the deadline.

        It never comes nearer, and what is dead stays dead. Staff look at a payment until then.
        """

    async def sell(self, scribe: Scribe, cause: Cause) -> None:
        """OPEN: sell what its hold keeps, and issue tickets. The money is promised and not taken yet.

        Raises holds.HoldExpired where something of it is somebody else's by now, and holds.SalesClosed where it is not
        sold any more: nothing of it has been sold then, for the transaction is undone.
        """

    async def confirm(self, scribe: Scribe, cause: Cause) -> None:
        """SOLD: all of the money is there; it is at its end, and well."""

    async def forsake(self, scribe: Scribe, cause: Cause) -> None:
        """OPEN: it cannot be sold, though its hold may live. The hold ends here, so that `dead` is told from now on.

        Its payments are called off afterwards, one by one; the last of them brings `put_back`.
        """

    async def put_back(self, scribe: Scribe, cause: Cause) -> None:
        """OPEN: no payment of it is under way any more. While its hold lives, it may be paid anew by the hold's own
        deadline; otherwise it ends: by time where that was over, as failed where it was forsaken before."""

    async def undo(self, session: Session, cause: Cause) -> None:
        """SOLD: the money cannot be had. What was sold goes back to everybody, tickets are void; it ends as failed."""


MadeBy = Callable[[UUID, UUID], Purpose]
"""The purpose of a booking's amendment, by the keys of the two."""

_amendments: list[MadeBy] = []


def register(made_by: MadeBy) -> None:
    """Have payments with an amendment pay for what `made_by` makes."""
    _amendments[:] = [made_by]


Ending = Callable[[Session, UUID, Collection[UUID], Cause], Awaitable[None]]
"""Ends the amendment of a locked booking that waits for its payment, given the holds that were locked before it."""

_endings: list[Ending] = []


def ended_by(ending: Ending) -> None:
    """Have amendments called off by `ending` when their booking ends, or is changed in another way."""
    _endings[:] = [ending]


async def end_amendments(session: Session, booking_id: UUID, locked: Collection[UUID], cause: Cause) -> None:
    """End the amendment of a locked booking that waits for its payment, which `advance` calls off then.

    `locked` are the holds of `rows.holds_of`, which were locked before the booking. Raises PAYMENT_UNDER_WAY where the
    payment was begun since then.
    """
    for ending in _endings:
        await ending(session, booking_id, locked, cause)


def of_amendment(booking_id: UUID, amendment_id: UUID) -> Purpose:
    """What payments of that amendment pay for."""
    if not _amendments:
        raise RuntimeError(f"payments of amendment {amendment_id} are found, and nobody owns amendments")
    return _amendments[0](booking_id, amendment_id)
