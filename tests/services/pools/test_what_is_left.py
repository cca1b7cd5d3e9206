"""How much is left of a class: what is shown (Python) is what decides (SQL), and nesting does what it says."""

from __future__ import annotations

import random

import pytest
from sqlalchemy import text

from core.db import Database
from models import Pool
from services import pools

CLASS_ROOM = text("SELECT class_room(:classes, :limits, :held, :sold, :wanted, '{}', '{}')")


def pool(limits: list[int], held: list[int], sold: list[int], **others: int) -> Pool:
    """A pool with classes A, B, C ..., and as many authorised as its first class."""
    columns = {"authorised": limits[0] if limits else 0, "blocked": 0, "held": sum(held), "sold": sum(sold), **others}
    names = [chr(ord("A") + place) for place in range(len(limits))]
    return Pool(
        slot_id=1,
        code="ECONOMY",
        capacity=100,
        classes=names,
        class_limits=limits,
        class_held=held,
        class_sold=sold,
        **columns,
    )


@pytest.mark.parametrize(
    ("limits", "held", "sold", "left"),
    [
        ([10, 6, 3], [0, 0, 0], [0, 0, 0], [10, 6, 3]),
        ([10, 6, 3], [0, 0, 0], [0, 0, 3], [7, 3, 0]),
        ([10, 6, 3], [0, 0, 0], [8, 0, 0], [2, 2, 2]),
        ([10, 6, 3], [0, 2, 0], [0, 4, 0], [4, 0, 0]),
        ([10, 0, 3], [0, 0, 0], [0, 0, 0], [10, 0, 0]),
        ([5, 6, 9], [1, 0, 0], [0, 0, 5], [0, 0, 0]),
    ],
)
def test_nesting(limits: list[int], held: list[int], sold: list[int], left: list[int]) -> None:
    one = pool(limits, held, sold)
    assert [pools.class_left(one, name) for name in "ABC"] == left
    assert [pools.left_in(one, name) for name in "ABC"] == [min(pools.left(one), most) for most in left]


def test_a_class_that_is_not_there_and_a_pool_without_classes() -> None:
    assert pools.class_left(pool([3], [0], [0]), "Q") == 0
    assert pools.left_in(Pool(authorised=4, held=1, sold=0, blocked=1, classes=[]), "Q") == 2


def test_more_blocked_than_left_is_nothing_left() -> None:
    assert pools.left(pool([4], [2], [2], blocked=1)) == 0


async def test_sql_says_the_same(database: Database) -> None:
    dice = random.Random(7)
    async with database.reading() as session:
        for _ in range(60):
            size = dice.randint(1, 5)
            limits, held, sold = ([dice.randint(0, 9) for _ in range(size)] for _ in range(3))
            one = pool(limits, held, sold)
            for name in one.classes:
                asked = {"classes": one.classes, "limits": limits, "held": held, "sold": sold, "wanted": name}
                assert max(0, await session.scalar(CLASS_ROOM, asked)) == pools.class_left(one, name)
