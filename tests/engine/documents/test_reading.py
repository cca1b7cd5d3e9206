"""Documents are read once, and what is kept of them is bounded."""

from __future__ import annotations

from dataclasses import replace
from hashlib import sha256

import pytest

from engine.documents import Reading
from engine.documents.kept import Kept
from engine.errors import Refusal
from engine.limits import Limits
from tests.engine.schemas import SCHEMA


def codes(reading: Reading, text: str) -> list[str]:
    """The codes with which a text is refused."""
    with pytest.raises(Refusal) as refused:
        reading.read(text)
    return [(error.extensions or {}).get("code", error.message) for error in refused.value.errors]


def test_a_text_is_read_once() -> None:
    reading = Reading(SCHEMA, Limits(), plans=list)
    first = reading.read("{ hello }")
    assert reading.read("{ hello }") is first
    assert reading.read("{hello}") is not first
    assert first.plans == []
    assert first.sha256 == sha256(b"{ hello }").hexdigest()


def test_what_is_wrong_with_a_text_is_found_out_once() -> None:
    reading = Reading(SCHEMA, Limits())
    with pytest.raises(Refusal) as first:
        reading.read("{ nothing }")
    with pytest.raises(Refusal) as again:
        reading.read("{ nothing }")
    assert again.value.errors[0] is first.value.errors[0]
    assert len(reading.known) == 0


def test_errors_of_a_document_are_told_up_to_a_number() -> None:
    reading = Reading(SCHEMA, replace(Limits(), root_fields=1_000))
    told = codes(reading, "{" + "".join(f" nothing{number}" for number in range(100)) + " }")
    assert len(told) == 11
    assert told[-1] == "Too many validation errors, error limit reached. Validation aborted."


def test_limits_come_before_parsing_and_parsing_before_validation() -> None:
    reading = Reading(SCHEMA, replace(Limits(), bytes=60, tokens=20, depth=2))
    assert codes(reading, "{" + " " * 60) == ["DOCUMENT_TOO_LARGE"]
    assert codes(reading, "{ a " * 15) == ["TOO_MANY_TOKENS"]
    assert codes(reading, "{ a { b ") == ["Syntax Error: Expected Name, found <EOF>."]
    assert codes(reading, "{ a { b { c } } }") == ["TOO_DEEP"]
    assert codes(reading, "{ a { b } }") == ["Cannot query field 'a' on type 'Query'."]


def test_introspection_and_suggestions_can_be_switched_off() -> None:
    closed = Reading(SCHEMA, Limits(), introspection=False, suggestions=False)
    open_ = Reading(SCHEMA, Limits())
    query = "{ __schema { types { name } } }"
    assert open_.read(query).text == query
    assert codes(closed, query) == ["INTROSPECTION_DISABLED"]
    assert codes(closed, '{ __type(name: "Query") { name } }') == ["INTROSPECTION_DISABLED"]
    assert closed.read("{ __typename }").text == "{ __typename }"
    assert codes(open_, "{ helo }") == ["Cannot query field 'helo' on type 'Query'. Did you mean 'hello'?"]
    assert codes(closed, "{ helo }") == ["Cannot query field 'helo' on type 'Query'."]


def test_fields_that_conflict_are_refused() -> None:
    (message,) = codes(Reading(SCHEMA, Limits()), '{ hello hello(name: "x") }')
    assert "they have differing arguments" in message


def test_nothing_beyond_the_number_is_kept() -> None:
    kept: Kept[int, str] = Kept(10, 1_000)
    for number in range(100):
        kept.put(number, "x")
    assert len(kept) == 10
    assert kept.get(99) == "x"
    assert kept.get(0) is None


def test_nothing_beyond_the_weight_is_kept() -> None:
    kept: Kept[int, str] = Kept(100, 50)
    for number in range(10):
        kept.put(number, "x", 10)
    assert [number for number in range(10) if kept.get(number)] == [5, 6, 7, 8, 9]
    kept.put(11, "large", 51)
    assert kept.get(11) is None


def test_what_is_used_again_outlives_a_flood() -> None:
    kept: Kept[int, str] = Kept(10, 1_000)
    kept.put(1, "wanted")
    assert kept.get(1) == "wanted"
    for number in range(100, 1_000):
        kept.put(number, "x")
    assert kept.get(1) == "wanted"
    assert len(kept) == 10


def test_a_value_is_replaced_and_dropped_with_its_weight() -> None:
    kept: Kept[int, str] = Kept(10, 100)
    kept.put(1, "one", 60)
    kept.put(1, "two", 60)
    assert (kept.get(1), len(kept)) == ("two", 1)
    kept.drop(1)
    assert (kept.get(1), len(kept), kept.weighs) == (None, 0, {"once": 0, "again": 0})
