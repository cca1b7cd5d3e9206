"""What is read for many keys: each is told theirs, and a list is whoever's asked for it."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping, Sequence
from typing import Any

from core.gathering import Gathers
from core.rows import Reader
from resolvers.loaders import Source


class Nowhere(Gathers):
    """Reads nothing by itself."""

    async def fetch(self, statement: str, *values: object) -> Sequence[Sequence[Any]]:
        raise AssertionError(statement)


class Letters:
    """Each number's letters, but those of 13."""

    def __init__(self) -> None:
        self.asked: list[list[int]] = []

    async def __call__(self, _: Reader, numbers: Sequence[int]) -> Mapping[int, list[str]]:
        self.asked.append(list(numbers))
        return {number: list(str(number)) for number in numbers if number != 13}


async def test_keys_may_repeat_and_be_unknown() -> None:
    letters = Letters()
    found = await Source(letters, ["none"]).all(Nowhere(), [12, 13, 12])
    assert found == [["1", "2"], ["none"], ["1", "2"]]
    assert letters.asked == [[12, 13]]


async def test_lists_are_nobody_elses() -> None:
    letters, missing, reader = Letters(), ["none"], Nowhere()
    source = Source(letters, missing)
    mine, theirs = await asyncio.gather(source.all(reader, [12, 13]), source.all(reader, [13, 12]))
    assert letters.asked == [[12, 13]]
    for one in (*mine, *theirs):
        one.clear()
        assert [len(other) for other in (*mine, *theirs)].count(0) == 1
        one.append("mine")
    assert missing == ["none"]
