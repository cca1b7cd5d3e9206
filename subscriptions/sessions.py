"""Which sign-ins have ended, as this process knows it: their tokens are good for nothing, though they have not expired.

Access tokens are checked by their signature alone, which costs no look at the database. That a session was ended (by
signing out, by a refresh token used twice) is a fact; each process hears it and keeps it for as long as a token of that
session could still be shown. At the start, and where something may have been missed, PostgreSQL is asked.
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime
from uuid import UUID

from core import clock, tokens
from core.db import Database
from core.errors import Unavailable
from core.log import logger
from services import users
from subscriptions import topics
from subscriptions.hub import Hub

log = logger("sessions")


class EndedSessions:
    """The sessions that ended within the life of a token. `told` is called with each as it is heard of."""

    def __init__(self, database: Database, hub: Hub, told: Callable[[UUID], None]) -> None:
        self._database = database
        self._hub = hub
        self._told = told
        self._ended: dict[UUID, datetime] = {}

    def __contains__(self, session_id: UUID | None) -> bool:
        """Whether that session is known to have ended."""
        return session_id in self._ended

    async def listen(self) -> float:
        """Hear of endings until the database is away; then again a second later: see `core.loops.forever`."""
        try:
            await self._hear()
        except Unavailable as error:
            log.warning("ended_sessions_unknown", error=error.message)
        return 1.0

    async def _hear(self) -> None:
        async with self._hub.subscribe(topics.session_endings()) as mailbox:
            await self._read()
            while True:
                post = await mailbox.take()
                for fact in post.facts:
                    self._end(UUID(fact.payload["session_id"]))
                if post.gap:
                    await self._read()
                self._forget()

    async def _read(self) -> None:
        async with self._database.reading(primary=True) as session:
            for session_id in await users.sessions_ended_since(session, clock.now() - tokens.LIFETIME):
                self._end(session_id)

    def _end(self, session_id: UUID) -> None:
        if session_id not in self._ended:
            self._ended[session_id] = clock.now()
            self._told(session_id)

    def _forget(self) -> None:
        """Whoever ended longer ago than a token lives needs no remembering; the oldest come first."""
        oldest = clock.now() - tokens.LIFETIME
        while self._ended and next(iter(self._ended.values())) < oldest:
            del self._ended[next(iter(self._ended))]
