"""Pages of a list in a total order, with cursors that stay good while the list changes.

Source: the GraphQL Cursor Connections Specification. A cursor holds the rank of its item, not its place: what comes
after it stays after it, whatever was added or removed before.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Generic, TypeVar
from uuid import UUID

import orjson

from core.errors import Invalid
from core.keys import decode, encode

Item = TypeVar("Item")
Rank = tuple[int | str, ...]

MAX_FIRST = 100


@dataclass(frozen=True)
class PageInfo:
    """Whether there is more on either side, and the cursors at both ends; None where the page is empty."""

    has_next_page: bool
    end_cursor: str | None
    has_previous_page: bool
    start_cursor: str | None


@dataclass(frozen=True)
class Edge(Generic[Item]):
    """An item and the cursor that stands for it."""

    cursor: str
    node: Item


@dataclass(frozen=True)
class Page(Generic[Item]):
    """Some items in a row; `total_count` counts the whole list."""

    edges: list[Edge[Item]]
    page_info: PageInfo
    total_count: int


def page_info(edges: Sequence[Edge[Item]], *, previous: bool, following: bool) -> PageInfo:
    """Where a page of these edges stands: whether its list has items before it, and behind it."""
    return PageInfo(
        has_next_page=following,
        end_cursor=edges[-1].cursor if edges else None,
        has_previous_page=previous,
        start_cursor=edges[0].cursor if edges else None,
    )


def paginate(
    ordered: Sequence[Item], rank: Callable[[Item], Rank], first: int, after: str | None, shape: Rank
) -> Page[Item]:
    """The first items behind the cursor. `ordered` is in the order of `rank`; `shape` is an example of a rank.

    Raises Invalid for a page size outside 1..100 and for a cursor that was never one of this list.
    """
    check_first(first)
    behind = read_cursor(after, shape) if after is not None else None
    rest = [item for item in ordered if behind is None or rank(item) > behind]
    edges = [Edge(write_cursor(rank(item)), item) for item in rest[:first]]
    info = page_info(edges, previous=len(rest) < len(ordered), following=len(rest) > first)
    return Page(edges=edges, page_info=info, total_count=len(ordered))


def newest_page(
    found: Sequence[Item], key: Callable[[Item], UUID], first: int, after: str | None, total: int
) -> Page[Item]:
    """A page of a list from the newest to the oldest: `found` is what is behind `after`, to one more than `first`."""
    edges = [Edge(write_cursor((str(key(one)),)), one) for one in found[:first]]
    info = page_info(edges, previous=after is not None, following=len(found) > first)
    return Page(edges=edges, page_info=info, total_count=total)


def check_first(first: int) -> None:
    """Raises Invalid for a page size outside 1..100."""
    if not 1 <= first <= MAX_FIRST:
        raise Invalid(f"A page has 1 to {MAX_FIRST} items.", field="first")


def key_of(cursor: str) -> UUID:
    """The key of the row that a cursor of `newest_page` stands for; raises Invalid (INVALID_CURSOR)."""
    (text,) = read_cursor(cursor, ("",))
    try:
        return UUID(str(text))
    except ValueError:
        raise Invalid("This is not a cursor of this list.", field="after", code="INVALID_CURSOR") from None


def write_cursor(rank: Rank) -> str:
    """The cursor of an item with that rank."""
    return encode(orjson.dumps(rank))


def read_cursor(cursor: str, shape: Rank) -> Rank:
    """The rank that a cursor stands for; raises Invalid (INVALID_CURSOR) unless it has the types of `shape`."""
    data = decode(cursor)
    try:
        rank = orjson.loads(data) if data is not None else None
    except orjson.JSONDecodeError:
        rank = None
    if not isinstance(rank, list) or [type(part) for part in rank] != [type(part) for part in shape]:
        raise Invalid("This is not a cursor of this list.", field="after", code="INVALID_CURSOR")
    return tuple(rank)
