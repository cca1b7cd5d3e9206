"""Long documents are read aside: in a thread, one at a time, so that everybody else is answered meanwhile.

The longest document that the limits let through takes a tenth of a second to read. Python runs one thread at a time and
changes over every few milliseconds: a request that would have waited for all of that waits for some of those instead.
"""

from __future__ import annotations

import asyncio

from engine.documents.known import Known, Unfit
from engine.documents.reading import Reading
from engine.errors import NOT_TO_BE_KEPT, UNAVAILABLE, refusal
from engine.limits.tokens import check_text

LONG = 2_000
"""Characters. What is shorter takes some milliseconds, less than changing over to a thread and back may take."""

MOST_WAITING = 100
"""How many long documents wait to be read; one more is refused."""


class Aside:
    """Reads documents for one event loop; what was read once is at hand."""

    def __init__(self, reading: Reading) -> None:
        self.reading = reading
        self.turn = asyncio.Lock()
        self.waiting: dict[str, asyncio.Task[Known | Unfit]] = {}

    async def read(self, text: str) -> Known:
        """The document that a text is. Raises Refusal for one that may not be executed, 503 where too many wait."""
        found = self.reading.kept(text)
        if found is None:
            is_long = len(text) > LONG and check_text(text, self.reading.limits) is None
            found = await self._long(text) if is_long else self.reading.found(text)
        if isinstance(found, Unfit):
            raise found.refusal()
        return found

    async def _long(self, text: str) -> Known | Unfit:
        """What a long text is. It is read once for all who ask, and goes on where whoever asked first has left."""
        task = self.waiting.get(text)
        if task is None:
            if len(self.waiting) >= MOST_WAITING:
                headers = {**NOT_TO_BE_KEPT, "Retry-After": "1"}
                raise refusal("Too many long documents wait to be read: try again.", UNAVAILABLE, 503, headers)
            task = self.waiting[text] = asyncio.create_task(self._read(text))
            task.add_done_callback(lambda _: self.waiting.pop(text))
        return await asyncio.shield(task)

    def _whole(self, text: str) -> Known | Unfit:
        """What the text is, with the formulas of what its operations cost, as far as no variable decides."""
        found = self.reading.fresh(text)
        if isinstance(found, Known):
            for operation in found.operations.values():
                found.formula(operation).measure({})
        return found

    async def _read(self, text: str) -> Known | Unfit:
        async with self.turn:
            found = await asyncio.to_thread(self._whole, text)
        self.reading.keep(text, found)
        return found
