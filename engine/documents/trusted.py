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
    def client(self) -> str:
        """Whose manifest it came in."""

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
    after that it raises what the source raises. Names of clients keep their manifests apart: whoever has a name finds
    its own documents alone, whoever has none finds all.
    """

    def __init__(
        self,
        source: Source,
        *,
        seconds: float = 2.0,
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
        self.asking = asyncio.Lock()

    async def find(self, document_id: str, client: str | None = None) -> str | None:
        """The text of a trusted document, by its id or by the SHA-256 of its text; None where there is none."""
        if self._is_due():
            async with self.asking:
                if self._is_due():
                    await self._ask()
        sha256 = self.by_id.get((client, document_id))
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
        try:
            version = await self.source.version()
            if self.agreed_at is None or version != self.version:
                self._know(await self.source.listed())
                self.version = version
        except Exception as error:
            if self.agreed_at is None or self.clock() - self.agreed_at > self.grace:
                raise
            if self.failed is not None:
                self.failed(error)
            self.asked_at = self.clock()
            return
        self.asked_at = self.agreed_at = self.clock()

    def _know(self, listed: Iterable[Listed]) -> None:
        by_id: dict[tuple[str | None, str], str] = {}
        for one in listed:
            for client in (one.client, None):
                by_id[client, one.sha256] = one.sha256
                by_id[client, one.id] = one.sha256
        self.by_id = by_id
