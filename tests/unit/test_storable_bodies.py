"""Which letters of a webhook's body are replaced before it is kept, and that no other is touched."""

from __future__ import annotations

import json

import orjson
import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.gateways import storable

REPLACED = "\N{REPLACEMENT CHARACTER}"


@pytest.mark.parametrize(
    ("body", "kept"),
    [
        (rb'"a\u0000b"', r'"a\ufffdb"'),
        (rb'"\u0000\u0000"', r'"\ufffd\ufffd"'),
        (rb'"\ud83d"', r'"\ufffd"'),
        (rb'"\uDE00"', r'"\ufffd"'),
        (rb'"\ud83d\ud83d\ude00"', r'"\ufffd\ud83d\ude00"'),
        (rb'"\ude00\ud83d"', r'"\ufffd\ufffd"'),
        (rb'"\ud83d\u0000"', r'"\ufffd\ufffd"'),
        (rb'"\\\u0000"', r'"\\\ufffd"'),
        (rb'"\\u0000"', r'"\\u0000"'),
        (rb'"\uD83D\uDE00"', r'"\uD83D\uDE00"'),
        (rb'"\u0001\u00e9\n\""', r'"\u0001\u00e9\n\""'),
        ('"é😀"'.encode(), '"é😀"'),
    ],
)
def test_only_what_cannot_be_kept_is_replaced(body: bytes, kept: str) -> None:
    assert storable(body) == kept


@given(st.text(st.characters(codec=None)))
def test_whatever_is_escaped_is_read_as_it_was_but_for_that(text: str) -> None:
    """Two halves that stand side by side are one letter to JSON."""
    read = json.loads(json.dumps(text))
    fit = "".join(REPLACED if letter == "\0" or "\ud800" <= letter <= "\udfff" else letter for letter in read)
    assert orjson.loads(storable(json.dumps(text).encode())) == fit


def test_what_is_no_text_is_no_body() -> None:
    with pytest.raises(UnicodeDecodeError):
        storable(b"\xff\xfe")
