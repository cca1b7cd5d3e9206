"""Pages: they never overlap, leave nothing out, and a cursor stays good while the list changes."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from core.errors import Invalid
from core.keys import encode
from core.paging import MAX_FIRST, Page, PageInfo, Rank, paginate, read_cursor, write_cursor

SHAPE = (0, "")
ranks = st.tuples(st.integers(-(2**53), 2**53), st.text(max_size=3))
lists = st.lists(ranks, unique=True, max_size=30).map(sorted)


def page(ordered: list[tuple[int, str]], first: int, after: str | None = None) -> Page[tuple[int, str]]:
    return paginate(ordered, lambda item: item, first, after, SHAPE)


def nodes(ordered: list[tuple[int, str]], first: int, after: str | None = None) -> list[Rank]:
    return [edge.node for edge in page(ordered, first, after).edges]


@given(lists, st.integers(1, 7))
def test_the_pages_one_after_another_are_the_list(ordered: list[tuple[int, str]], first: int) -> None:
    seen: list[Rank] = []
    after, more = None, True
    while more:
        got = page(ordered, first, after)
        assert got.total_count == len(ordered)
        assert len(got.edges) <= first
        seen += [edge.node for edge in got.edges]
        after, more = got.page_info.end_cursor, got.page_info.has_next_page
    assert seen == ordered


@given(lists, st.data())
def test_a_cursor_stays_good_while_the_list_changes(ordered: list[tuple[int, str]], data: st.DataObject) -> None:
    if not ordered:
        return
    at = data.draw(st.sampled_from(ordered))
    changed = sorted({*data.draw(lists), *(item for item in ordered if data.draw(st.booleans()))})
    assert nodes(changed, MAX_FIRST, write_cursor(at)) == [item for item in changed if item > at]


def test_an_empty_page() -> None:
    got = page([], 20)
    assert (got.edges, got.total_count) == ([], 0)
    assert got.page_info == PageInfo(has_next_page=False, end_cursor=None, has_previous_page=False, start_cursor=None)


def test_the_last_page_says_so_even_when_it_is_full() -> None:
    ordered = [(1, "a"), (2, "b")]
    assert not page(ordered, 2).page_info.has_next_page
    assert page(ordered, 1).page_info.has_next_page
    assert page(ordered, 1).page_info.end_cursor == page(ordered, 1).edges[0].cursor


def test_a_page_says_what_is_on_either_side() -> None:
    ordered = [(1, "a"), (2, "b"), (3, "c")]
    first = page(ordered, 2)
    second = page(ordered, 2, first.page_info.end_cursor)
    assert [one.page_info.has_previous_page for one in (first, second)] == [False, True]
    assert [one.page_info.has_next_page for one in (first, second)] == [True, False]
    for one in (first, second):
        assert (one.page_info.start_cursor, one.page_info.end_cursor) == (one.edges[0].cursor, one.edges[-1].cursor)


@pytest.mark.parametrize("first", [-1, 0, MAX_FIRST + 1])
def test_a_page_size_out_of_range_is_refused(first: int) -> None:
    with pytest.raises(Invalid) as refusal:
        page([], first)
    assert refusal.value.field == "first"


@given(ranks)
def test_a_cursor_is_its_rank(rank: tuple[int, str]) -> None:
    assert read_cursor(write_cursor(rank), SHAPE) == rank


WRONG_RANKS = (b"", b"[", b"7", b'"x"', b"null", b"{}", b"[]", b'["a",1]', b"[1]", b'[1,"a",2]', b'[1.5,"a"]')
WRONG_TYPES = (b'[true,"a"]', b"[1,null]", b'[null,"a"]', b'[1,["a"]]', b'[[1],"a"]')


@pytest.mark.parametrize("cursor", ["", "é", "x", "====", "\0", *map(encode, WRONG_RANKS + WRONG_TYPES)])
def test_what_was_never_a_cursor_of_this_list_is_refused(cursor: str) -> None:
    with pytest.raises(Invalid) as refusal:
        page([(1, "a")], 20, cursor)
    assert (refusal.value.field, refusal.value.code) == ("after", "INVALID_CURSOR")
