"""What a resolver knows: the application, who is asking, and the request it belongs to.

A `Context` lives for one operation. Over a WebSocket every operation gets its own, and the token is read again for
each, so that nobody stays signed in by keeping a socket open.
"""

from __future__ import annotations

import asyncio
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass, field
from datetime import datetime
from functools import cached_property
from typing import Any, Protocol, TypeAlias
from uuid import UUID

import strawberry
from redis.asyncio import Redis

from core import tokens
from core.db import Database, ReadSession, Session
from core.errors import Unauthenticated
from core.keys import Keyring
from core.passwords import Passwords
from core.rows import Reader
from core.settings import Settings
from core.turnstile import Turnstile
from resolvers.loaders import Loaders
from services import fraud
from services.clients import KnownClient
from services.fraud import Payer
from services.gateways import Gateways
from services.holds import Owner, Placer
from services.holds.desk import Desk
from services.limits import Limiter
from services.seats import Plans
from services.transitions import Cause

PAPERS_AT_ONCE = 2
"""How many papers one process draws at the same time: each takes a tenth of a second of a core."""


@dataclass(frozen=True, kw_only=True)
class Application:
    """What one process has for its whole life; `app.py` opens it and closes it.

    `hub` is the subscriptions' Hub, and `prices` their Prices; resolvers do not import subscriptions, so the types are
    known in `schema/` only.
    """

    settings: Settings
    database: Database
    redis: Redis
    hub: Any
    prices: Any
    keyring: Keyring
    limiter: Limiter
    gateways: Gateways
    plans: Plans
    placer: Placer
    desk: Desk = field(default_factory=Desk)
    turnstile: Turnstile = field(default_factory=Turnstile)
    passwords: Passwords
    printers: asyncio.Semaphore = field(default_factory=lambda: asyncio.Semaphore(PAPERS_AT_ONCE))


@dataclass(frozen=True, kw_only=True)
class Viewer:
    """Who is asking: a user in a session, or a guest, for whom all three are None."""

    user_id: UUID | None = None
    session_id: UUID | None = None
    role: str | None = None
    expires_at: datetime | None = None
    """When the token ends that says so."""

    @property
    def is_guest(self) -> bool:
        """Whether nobody is signed in."""
        return self.user_id is None


GUEST = Viewer()


@dataclass(kw_only=True, eq=False)
class Context:
    """One operation: of `app`, asked by `viewer` from the address `ip`, by the program `client` where it is known."""

    app: Application
    viewer: Viewer
    request_id: str
    ip: str
    client: KnownClient | None = None
    device: str | None = None
    """What the client calls the device that it runs on, if it says so."""
    writes: bool = False
    """Whether it is a mutation, which must see what it wrote; or a stream, which must see what it was told."""

    @property
    def actor(self) -> str:
        """Who is asking, as history and facts write it: `user:<id>`, or `guest`."""
        return self.owner.key

    @property
    def owner(self) -> Owner:
        """Whose the holds and bookings are that this operation makes."""
        return Owner(user_id=self.viewer.user_id)

    def payer(self, email: str | None) -> Payer:
        """Who pays, where this operation pays something whose confirmation goes to that address."""
        return fraud.payer(
            self.app.keyring, user_id=self.viewer.user_id, device=self.device, address=self.ip, email=email
        )

    def cause(self, reason: str) -> Cause:
        """Who makes a change, and why, as history writes it."""
        return Cause(actor=self.actor, reason=reason)

    @cached_property
    def loaders(self) -> Loaders:
        """What reads many rows at once for this operation."""
        return Loaders(self.reader)

    def transaction(self) -> AbstractAsyncContextManager[Session]:
        """One transaction on the primary."""
        return self.app.database.transaction()

    def reading(self) -> AbstractAsyncContextManager[ReadSession]:
        """A short session that cannot write: on the primary within a mutation, which must see what it wrote."""
        return self.app.database.reading(primary=self.reads_primary)

    @property
    def reader(self) -> Reader:
        """Answers single statements that read, from where `reading` reads: for what is asked most."""
        return self.app.database.reader(primary=self.reads_primary)

    @property
    def reads_primary(self) -> bool:
        """Whether it must see all that was written, or told, before it began."""
        return self.writes

    def lasts(self, seconds: float) -> None:
        """Say that what is shown is true for no longer than that. It matters where others are shown it too."""
        del seconds


class Sharing(Protocol):
    """What a shared execution is watched by (`engine.caching.Sharing`)."""

    @property
    def ends_by_facts(self) -> bool:
        """Whether facts put an end to the answer."""

    def lasts(self, seconds: float) -> None:
        """The answer is true for no longer than that."""

    def spoil(self, touched: str) -> None:
        """The answer is the viewer's own."""


IMPERSONAL = frozenset({"app", "writes", "sharing", "loaders", "reading", "reader", "reads_primary", "lasts"})
"""What a resolver may ask of a context without learning who asks. Whatever a context gets later is personal, unless it
is put here."""


@dataclass(kw_only=True, eq=False)
class SharedContext(Context):
    """The context of an execution whose answer is shown to everybody of one audience.

    It knows the viewer in whose name it is executed, so that what is asked is answered; but whoever looks at anything
    that is not IMPERSONAL makes the answer this viewer's alone.
    """

    sharing: Sharing

    def __getattribute__(self, name: str) -> Any:
        if name not in IMPERSONAL and not name.startswith("__"):
            object.__getattribute__(self, "sharing").spoil(name)
        return object.__getattribute__(self, name)

    @property
    def reads_primary(self) -> bool:
        """What is read after a fact was told must not be older than the fact, as a replica may be."""
        return self.sharing.ends_by_facts

    def lasts(self, seconds: float) -> None:
        """Say that what is shown is true for no longer than that."""
        self.sharing.lasts(seconds)


def shared(context: Context, sharing: Sharing) -> SharedContext:
    """The same operation, executed for everybody."""
    return SharedContext(
        app=context.app,
        viewer=context.viewer,
        request_id=context.request_id,
        ip=context.ip,
        client=context.client,
        sharing=sharing,
    )


def unseen(context: Context, sharing: Sharing) -> SharedContext:
    """The context of a stream that many are told at once: nobody asks, and nothing of whoever came first is in it."""
    return SharedContext(app=context.app, viewer=GUEST, request_id="", ip="", sharing=sharing)


def viewer_from_authorization(keyring: Keyring, header: str | None) -> Viewer:
    """Who an Authorization header speaks for (RFC 6750); nobody's header is a guest's.

    Raises Unauthenticated for a header that is no good: whoever sends a token means to be somebody.
    """
    if header is None:
        return GUEST
    scheme, _, token = header.strip().partition(" ")
    if scheme.lower() != "bearer" or not token.strip():
        raise Unauthenticated("The Authorization header is not `Bearer` and an access token.")
    said = tokens.read(keyring, token.strip())
    return Viewer(user_id=said.user_id, session_id=said.session_id, role=said.role, expires_at=said.expires_at)


Info: TypeAlias = strawberry.Info[Context, None]
"""What a resolver is told about the field it answers; `info.context` is the Context."""
