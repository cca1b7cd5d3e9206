"""Bytes and tokens, before anything is parsed."""

from __future__ import annotations

from dataclasses import replace

import pytest
from graphql import GraphQLSyntaxError, Lexer, Source, TokenKind
from hypothesis import given
from hypothesis import strategies as st

from engine.limits import Limits
from engine.limits.tokens import check_text, count_tokens

MANY = 10_000


def lexed(text: str) -> int:
    """How many tokens and comments graphql-core finds."""
    lexer = Lexer(Source(text))
    token = lexer.token
    count = 0
    while token.kind is not TokenKind.EOF:
        token = token.next or lexer.read_next_token(token.end)
        count += token.kind is not TokenKind.EOF
        if token.next is None and token.kind is not TokenKind.EOF:
            token.next = lexer.read_next_token(token.end)
    return count


PIECES = [
    "{", "}", "(", ")", "$", "!", ":", "=", "@", "|", "[", "]", "&", "...", "name", "_x9", "0", "-12", "1.5e-3", "2E7",
    '""', '"a b"', r'"\"" ', r'"\\"', r'"é"', '""""""', '"""a\nb"""', '"""say \\""" it"""', '"""a " b "" c"""',
    '"""back\\slash"""', "# a comment\n", "#\r", ",", " ", "\n", "\t", "\ufeff", "query", "null",
]  # fmt: skip


@given(st.lists(st.sampled_from(PIECES), max_size=40))
def test_as_many_tokens_are_counted_as_are_lexed(pieces: list[str]) -> None:
    # A space between keeps pieces apart that would run together: a number into a name is no GraphQL.
    text = " ".join(pieces)
    assert count_tokens(text, MANY) == lexed(text)


@given(st.text(alphabet='{}()"\\#\n\r.,:$@ a1-é', max_size=60))
def test_whatever_is_lexed_has_that_many_tokens(text: str) -> None:
    try:
        expected = lexed(text)
    except GraphQLSyntaxError:
        return
    assert count_tokens(text, MANY) == expected


@pytest.mark.parametrize("token", ["a ", "-1", "{", "#\n", '"x"', '"""x"""', "1 ", "...", "?"])
def test_counting_stops_at_the_limit(token: str) -> None:
    limits = replace(Limits(), tokens=50)
    assert check_text(token * 50, limits) is None
    error = check_text(token * 51, limits)
    assert error is not None
    assert error.extensions == {"code": "TOO_MANY_TOKENS", "limit": 50, "found": 51}
    assert count_tokens(token * MANY, 50) == 51


@pytest.mark.parametrize("unit", ["a", "é", "\U0001f600"])
def test_bytes_are_those_of_utf_8(unit: str) -> None:
    size = len(unit.encode())
    limits = replace(Limits(), bytes=10 * size)
    assert check_text(unit * 10, limits) is None
    error = check_text(unit * 11, limits)
    assert error is not None
    assert error.extensions["code"] == "DOCUMENT_TOO_LARGE"  # type: ignore[index]
    assert error.extensions["limit"] == 10 * size  # type: ignore[index]


@pytest.mark.parametrize("flood", ['"', '"""', '"\\', '"""\\"', '""" "', "\\", '"a\n'])
def test_what_is_never_ended_is_counted_without_going_back(flood: str) -> None:
    # Each of these takes a scanner that tries again from every place hours, not moments.
    assert count_tokens(flood * 20_000, 10**9) <= len(flood) * 20_000
