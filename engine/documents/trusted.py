"""Trusted documents: loaded in advance, found by their id, retired at any time.

Where they are is known to a `Source`. A process keeps the list of what is trusted and asks every so often whether it
has changed, so that an unknown id costs nothing, and what was retired is trusted for a few seconds more at most.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable, Iterable
from typing import Protocol

from engine.documents.kept import Kept

TEXTS, TEXTS_WEIGHT = 2_000, 32 * 2**20


class Listed(Protocol):
    """What the list says of one document."""

    @property
    def client(self) -> str | None:
        """Whose it is, and nobody else's; None for one that is everybody's."""

    @property
    def id(self) -> str:
        """What is sent as `documentId`."""

    @property
    def sha256(self) -> str:
        """The SHA-256 of its text in UTF-8, in hex."""


class Source(Protocol):
    """Where trusted documents are kept. May raise anything where it is away."""

    async def version(self) -> object:
        """Equal as long as nothing was loaded or retired."""

    async def listed(self) -> Iterable[Listed]:
        """Every document that is trusted now."""

    async def text(self, sha256: str) -> str | None:
        """The text with that SHA-256, of a document that was ever loaded."""


class Trusted:
    """The trusted documents of a source, as this process knows them.

    It learns of changes within `seconds`. While the source is away it goes on with what it knows for `grace` seconds;
    after that it raises what the source raises. Whoever has a name finds its own documents and everybody's; whoever has
    none finds everybody's.
    """

    def __init__(
        self,
        source: Source,
        *,
        seconds: float = 1.0,
        grace: float = 60.0,
        failed: Callable[[Exception], None] | None = None,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self.source = source
        self.seconds = seconds
        self.grace = grace
        self.failed = failed
        self.clock = clock
        self.version: object = None
        self.by_id: dict[tuple[str | None, str], str] = {}
        self.texts: Kept[str, str] = Kept(TEXTS, TEXTS_WEIGHT)
        self.asked_at: float | None = None
        self.agreed_at: float | None = None
        self.away: Exception | None = None
        self.asking = asyncio.Lock()

    async def find(self, document_id: str, client: str | None = None) -> str | None:
        """The text of a trusted document, by its id or by the SHA-256 of its text; None where there is none.

        Raises what the source raises.
        """
        if self._is_due():
            async with self.asking:
                if self._is_due():
                    await self._ask()
        if self.away is not None:
            raise self.away.with_traceback(None)
        sha256 = self.by_id.get((client, document_id)) or self.by_id.get((None, document_id))
        if sha256 is None:
            return None
        text = self.texts.get(sha256)
        if text is None:
            text = await self.source.text(sha256)
            if text is not None:
                self.texts.put(sha256, text, len(text))
        return text

    def _is_due(self) -> bool:
        return self.asked_at is None or self.clock() - self.asked_at >= self.seconds

    async def _ask(self) -> None:
        """Ask what has changed. Where the source is away, whoever asks within `seconds` is told so without a try."""
        try:
            version = await self.source.version()
            if self.agreed_at is None or version != self.version:
                self._know(await self.source.listed())
                self.version = version
        except Exception as error:  # noqa: BLE001 - a source may raise anything
            self.asked_at = self.clock()
            is_over = self.agreed_at is None or self.asked_at - self.agreed_at > self.grace
            self.away = error if is_over else None
            if self.failed is not None:
                self.failed(error)
            return
        self.asked_at = self.agreed_at = self.clock()
        self.away = None

    def _know(self, listed: Iterable[Listed]) -> None:
        by_id: dict[tuple[str | None, str], str] = {}
        for one in listed:
            by_id[one.client, one.sha256] = one.sha256
            by_id[one.client, one.id] = one.sha256
        self.by_id = by_id
