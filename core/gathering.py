"""What several requests ask at the same time, by one statement: each statement costs the server and PostgreSQL a third
of a millisecond for being one, however little it asks.

Whoever asks while nothing of the kind is under way is served at once. Whoever asks meanwhile is served together with
all others who do, by the next statement: so nobody is answered by one that was sent before they asked, and what they
may see is what they would have seen alone. Nothing is kept. Where one statement for many fails, each is asked alone,
and only whoever failed alone fails. A statement belongs to nobody: who stops waiting takes nothing with them.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Mapping, Sequence
from typing import Any, Generic, TypeVar

from core.lines import Line, Pending
from core.rows import Reader

Question = TypeVar("Question")
Answer = TypeVar("Answer")
Key = TypeVar("Key")
Value = TypeVar("Value")

TOGETHER = 64
"""Questions in one statement."""

FEW = 8
"""Keys of a question that is asked together with others: with more it is worth a statement of its own."""

PATIENCE = 1.0
"""Seconds after which one statement that does not end (its connection may be lost) holds up nobody else who comes."""


class Gathers(Reader):
    """A reader for many requests at once, each of whose statements is on its own: what they ask may be gathered.

    A session is none: what it is asked belongs to its transaction.
    """

    def __init__(self) -> None:
        self._lines: dict[object, Line[Any, Any]] = {}

    def line(self, kind: Gathering[Question, Answer]) -> Line[Any, Pending[Question, Answer]]:
        """Where questions of a kind, one of the program's constants, wait for this reader."""
        line = self._lines.get(kind)
        if line is None:
            line = self._lines[kind] = Line(kind.serve, [self], TOGETHER)
        return line

    async def gathered(self) -> None:
        """Wait until nothing that was gathered is under way."""
        while busy := set[asyncio.Task[None]]().union(*(line.busy for line in self._lines.values())):
            await asyncio.wait(busy)


class Gathering(Generic[Question, Answer]):
    """A kind of question. `ask` answers many by one statement, in their order; it may be asked again."""

    def __init__(self, ask: Callable[[Reader, Sequence[Question]], Awaitable[Sequence[Answer]]]) -> None:
        self._ask = ask

    async def one(self, reader: Reader, question: Question) -> Answer:
        """The answer to one question; raises whatever `ask` raises for it alone."""
        if not isinstance(reader, Gathers) or (line := reader.line(self)).stands(PATIENCE):
            (answer,) = await self._ask(reader, [question])
            return answer
        pending: Pending[Question, Answer] = Pending(question)
        line.put(pending)
        return await pending.answered

    async def serve(self, reader: Reader, batch: list[Pending[Question, Answer]]) -> None:
        """Answer all of a batch."""
        try:
            answers = await self._ask(reader, [pending.question for pending in batch])
        except Exception:
            if len(batch) == 1:
                raise
            # Whose fault it is comes out when each is asked alone.
            await asyncio.gather(*(self._serve_alone(reader, pending) for pending in batch))
        else:
            for pending, answer in zip(batch, answers, strict=True):
                pending.answer(answer)

    async def _serve_alone(self, reader: Reader, pending: Pending[Question, Answer]) -> None:
        try:
            (answer,) = await self._ask(reader, [pending.question])
        except Exception as error:  # noqa: BLE001 - whoever asked is told
            pending.fail(error)
        else:
            pending.answer(answer)


class ByKeys(Generic[Key, Value]):
    """What `read` finds for many keys by one statement; what it does not find is left out.

    Whoever asks for the same key at the same time may get the same value: nobody changes it.
    """

    def __init__(self, read: Callable[[Reader, Sequence[Key]], Awaitable[Mapping[Key, Value]]]) -> None:
        self._read = read
        self._gathering: Gathering[Sequence[Key], Mapping[Key, Value]] = Gathering(self._ask)

    async def find(self, reader: Reader, keys: Sequence[Key]) -> Mapping[Key, Value]:
        """What is found for some keys, none of them twice; raises whatever `read` raises."""
        if len(keys) > FEW:
            return await self._read(reader, keys)
        return await self._gathering.one(reader, keys)

    async def _ask(self, reader: Reader, questions: Sequence[Sequence[Key]]) -> list[Mapping[Key, Value]]:
        if len(questions) == 1:
            return [await self._read(reader, questions[0])]
        found = await self._read(reader, list(dict.fromkeys(key for keys in questions for key in keys)))
        return [{key: found[key] for key in keys if key in found} for keys in questions]
