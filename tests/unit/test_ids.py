"""Keys that grow with time, locators that people can read out, and ids that say what they name."""

from __future__ import annotations

import base64
import time
from collections.abc import Callable
from contextlib import suppress
from uuid import UUID, uuid4

import pytest
from hypothesis import given
from hypothesis import strategies as st

from core import ids
from core.errors import Invalid

printable = st.text(st.characters(min_codepoint=33, max_codepoint=126), max_size=20)


def spelled(text: str) -> str:
    """`text` as an id spells it, whether or not it was ever one."""
    return base64.urlsafe_b64encode(text.encode()).rstrip(b"=").decode()


def refused(read: Callable[[], object]) -> None:
    """Assert that `read` refuses an id, naming the field."""
    with pytest.raises(Invalid) as refusal:
        read()
    assert (refusal.value.code, refusal.value.field) == ("INVALID_ID", "holdId")


def test_a_uuid7_is_laid_out_as_rfc_9562_says() -> None:
    before = time.time_ns() // 1_000_000
    keys = [ids.uuid7() for _ in range(200)]
    after = time.time_ns() // 1_000_000
    assert {key.version for key in keys} == {7}
    assert {str(key)[19] for key in keys} == set("89ab")
    assert all(before <= key.int >> 80 <= after for key in keys)
    assert len({key.int & (1 << 62) - 1 for key in keys}) == 200
    assert len({key.int >> 64 & 0xFFF for key in keys}) > 100


def test_uuid7s_grow_with_time(monkeypatch: pytest.MonkeyPatch) -> None:
    moments = iter([0, 999_999, 1_000_000, 255_000_000, 256_000_000, 10**18, (1 << 48) * 1_000_000 - 1])
    monkeypatch.setattr(time, "time_ns", lambda: next(moments))
    drawn = ids.Keys()
    keys = [drawn.draw() for _ in range(7)]
    assert [key.int >> 80 for key in keys] == [0, 0, 1, 255, 256, 10**12, (1 << 48) - 1]
    assert keys == sorted(keys)
    assert [str(key) for key in keys] == sorted(str(key) for key in keys)


def test_uuid7s_grow_within_a_millisecond_and_while_the_clock_goes_back(monkeypatch: pytest.MonkeyPatch) -> None:
    moments = iter([5_000_000, 5_000_000, 5_000_100, 5_999_999, 5_999_999, 4_000_000, 7_000_000])
    monkeypatch.setattr(time, "time_ns", lambda: next(moments))
    drawn = ids.Keys()
    keys = [drawn.draw() for _ in range(7)]
    assert keys == sorted(keys)
    assert [key.int >> 80 for key in keys] == [5, 5, 5, 5, 6, 6, 7]
    assert [key.int >> 64 & 0xFFF for key in keys] == [0, 1, 2, 4095, 0, 1, 0]
    assert {key.version for key in keys} == {7}


def test_every_locator_that_is_made_is_recognised() -> None:
    made = [ids.record_locator() for _ in range(5_000)]
    assert all(ids.is_record_locator(locator) for locator in made)
    assert set("".join(made)) == set(ids.LOCATOR_ALPHABET)
    assert len(set(made)) > 4_990


def test_locators_leave_out_what_people_confuse() -> None:
    assert not set("01OIL") & set(ids.LOCATOR_ALPHABET)
    assert len(set(ids.LOCATOR_ALPHABET)) == len(ids.LOCATOR_ALPHABET) == 31


@pytest.mark.parametrize("text", ["", "ABCDE", "ABCDEFG", "abcdef", "ABCDE0", "ABCDE1", "ABCDEO", "ABC EF", "ABCDÉF"])
def test_what_is_no_locator_is_not_recognised(text: str) -> None:
    assert not ids.is_record_locator(text)


@given(printable.filter(lambda kind: ":" not in kind), printable)
def test_an_id_tells_its_kind_and_key(kind: str, key: str) -> None:
    assert ids.split_global_id(ids.global_id(kind, key)) == (kind, key)
    assert ids.key_of(kind, ids.global_id(kind, key)) == key


def test_ids_are_as_they_always_were() -> None:
    assert ids.global_id("Flight", 7) == "RmxpZ2h0Ojc"
    assert ids.number_of("Flight", "RmxpZ2h0Ojc") == 7
    key = uuid4()
    assert ids.uuid_of("Hold", ids.global_id("Hold", key)) == key


@given(st.text(max_size=30) | st.builds(spelled, st.text(max_size=10)))
def test_any_text_is_an_id_of_ours_or_refused(text: str) -> None:
    with suppress(Invalid):
        assert ids.global_id(*ids.split_global_id(text)) == text


MALFORMED = (
    *(
        "",
        ":",
        "Hold:7",
        "RmxpZ2h0Ojc=",
        "RmxpZ2h0Ojc ",
        " RmxpZ2h0Ojc",
        "RmxpZ2h0Oj",
        "RmxpZ2h0Ojd",
        "é",
        "\0",
        "-_-_",
    ),
    *(spelled("Hold"), spelled("Höld:7")),
)


@pytest.mark.parametrize("text", MALFORMED)
def test_malformed_ids_are_refused(text: str) -> None:
    refused(lambda: ids.split_global_id(text, "holdId"))


@pytest.mark.parametrize("key", ["", "-1", "+1", "1.0", "1e3", " 1", "1_000", "٧", "x", "9" * 19, "0x1", "007", "00"])
def test_a_key_that_is_no_number_is_refused(key: str) -> None:
    refused(lambda: ids.number_of("Flight", spelled(f"Flight:{key}"), "holdId"))


@pytest.mark.parametrize(
    "key", ["", "7", str(UUID(int=7)).upper().replace("0007", "000A"), "{" + str(UUID(int=7)) + "}", UUID(int=7).hex]
)
def test_a_key_that_is_no_uuid_is_refused(key: str) -> None:
    refused(lambda: ids.uuid_of("Hold", spelled(f"Hold:{key}"), "holdId"))


def test_an_id_of_another_kind_is_refused() -> None:
    refused(lambda: ids.number_of("Flight", ids.global_id("Slot", 7), "holdId"))
    refused(lambda: ids.uuid_of("Hold", ids.global_id("Booking", uuid4()), "holdId"))
    refused(lambda: ids.key_of("Hold", ids.global_id("hold", 7), "holdId"))
