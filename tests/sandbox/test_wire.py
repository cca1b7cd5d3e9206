"""Form encoding with brackets."""

import pytest

from sandbox.wire import ApiError, decode


@pytest.mark.parametrize(
    ("pairs", "decoded"),
    [
        ([("a", "1")], {"a": "1"}),
        ([("metadata[0]", "x"), ("metadata[seat]", "12A")], {"metadata": {"0": "x", "seat": "12A"}}),
        ([("expand[]", "a"), ("expand[]", "b")], {"expand": ["a", "b"]}),
        ([("expand[1]", "b"), ("expand[0]", "a")], {"expand": ["a", "b"]}),
        ([("created[gte]", "5"), ("created[lt]", "9")], {"created": {"gte": "5", "lt": "9"}}),
        ([("a[b][c]", "1"), ("a[b][d]", "2")], {"a": {"b": {"c": "1", "d": "2"}}}),
    ],
)
def test_decoded(pairs: list[tuple[str, str]], decoded: object) -> None:
    assert decode(pairs) == decoded


@pytest.mark.parametrize("key", ["a[", "a]b[", "[a]", "a[b]c", "a" + "[b]" * 20])
def test_malformed_names_are_refused(key: str) -> None:
    with pytest.raises(ApiError):
        decode([(key, "1")])


def test_a_value_cannot_be_a_map_too() -> None:
    with pytest.raises(ApiError):
        decode([("a", "1"), ("a[b]", "2")])
