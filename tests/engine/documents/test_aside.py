"""Long documents are read in a thread, one at a time, while the event loop goes on."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Iterator

import pytest

from engine.documents import Reading
from engine.documents.aside import LONG, MOST_WAITING, Aside
from engine.documents.known import Known, Unfit
from engine.errors import Refusal
from engine.limits import Limits
from tests.engine.schemas import SCHEMA
from tests.fakes.waiting import eventually


class Gate(Reading):
    """Reads when it is told to, and notes what it read, where, and how many at a time."""

    def __init__(self) -> None:
        super().__init__(SCHEMA, Limits())
        self.open = threading.Event()
        self.texts: list[str] = []
        self.under_way = self.most_under_way = 0
        self.threads: set[int] = set()

    def fresh(self, text: str) -> Known | Unfit:
        self.under_way += 1
        self.most_under_way = max(self.under_way, self.most_under_way)
        self.texts.append(text)
        self.threads.add(threading.get_ident())
        if len(text) > LONG:
            assert self.open.wait(20)
        self.under_way -= 1
        return super().fresh(text)


@pytest.fixture
def gate() -> Iterator[Gate]:
    reading = Gate()
    yield reading
    reading.open.set()


def long(number: int = 0, inside: str = "hello") -> str:
    return f"{{ {inside} }} #{number}" + " " * LONG


async def begun(gate: Gate) -> None:
    """Wait until one is being read."""

    async def so() -> bool:
        return gate.under_way == 1

    await eventually(so)


async def test_while_a_long_document_is_read_short_ones_are(gate: Gate) -> None:
    aside = Aside(gate)
    waiting = asyncio.create_task(aside.read(long()))
    await begun(gate)
    assert (await aside.read("{ hello }")).text == "{ hello }"
    assert not waiting.done()
    gate.open.set()
    known = await waiting
    assert known.text == long()
    assert await aside.read(long()) is known
    assert len(gate.threads) == 2


async def test_long_documents_are_read_one_at_a_time_and_each_once(gate: Gate) -> None:
    aside = Aside(gate)
    texts = [long(number) for number in range(5)] * 3
    reading = [asyncio.create_task(aside.read(text)) for text in texts]
    await begun(gate)
    gate.open.set()
    assert [known.text for known in await asyncio.gather(*reading)] == texts
    assert (sorted(gate.texts), gate.most_under_way, aside.waiting) == (sorted(set(texts)), 1, {})


async def test_whoever_leaves_takes_nothing_from_the_others(gate: Gate) -> None:
    aside = Aside(gate)
    first, second = [asyncio.create_task(aside.read(long())) for _ in range(2)]
    await begun(gate)
    first.cancel()
    with pytest.raises(asyncio.CancelledError):
        await first
    gate.open.set()
    assert (await second).text == long()
    assert gate.texts == [long()]


async def test_what_is_wrong_with_a_long_document_is_kept_too(gate: Gate) -> None:
    aside = Aside(gate)
    gate.open.set()
    for _ in range(2):
        with pytest.raises(Refusal) as refused:
            await aside.read(long(inside="nothing"))
        assert refused.value.errors[0].message.startswith("Cannot query field 'nothing' on type 'Query'.")
    assert len(gate.texts) == 1


async def test_of_too_many_one_more_is_refused(gate: Gate) -> None:
    aside = Aside(gate)
    reading = [asyncio.create_task(aside.read(long(number))) for number in range(MOST_WAITING)]
    await begun(gate)
    with pytest.raises(Refusal) as refused:
        await aside.read(long(MOST_WAITING))
    assert (refused.value.status, refused.value.headers["Retry-After"]) == (503, "1")
    assert (refused.value.errors[0].extensions or {})["code"] == "UNAVAILABLE"
    gate.open.set()
    await asyncio.gather(*reading)
    assert (await aside.read(long(MOST_WAITING))).text == long(MOST_WAITING)


async def test_what_is_too_large_needs_no_turn(gate: Gate) -> None:
    with pytest.raises(Refusal) as refused:
        await Aside(gate).read("{ " + "hello " * 2_000 + "}")
    assert (refused.value.errors[0].extensions or {})["code"] == "TOO_MANY_TOKENS"
    assert gate.texts == []
