"""Values of variables, counted before they are coerced."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from engine.limits import Limits
from engine.limits.values import check_values

LIMITS = replace(Limits(), values=6)


@pytest.mark.parametrize(
    ("variables", "found"),
    [
        (None, None),
        ({}, None),
        ({"a": 1, "b": [1, {"c": 2}], "d": "text"}, None),
        ({"a": [[[[[[]]]]]]}, None),
        ({"a": [1, 2, 3, 4, 5]}, None),
        ({"a": [1, 2, 3, 4, 5, 6]}, 7),
        ({"a": {"b": {"c": {"d": 1, "e": 2, "f": 3, "g": 4}}}}, 7),
        ({str(n): n for n in range(7)}, 7),
    ],
)
def test_values_are_counted_wherever_they_are(variables: dict[str, Any] | None, found: int | None) -> None:
    error = check_values(variables, LIMITS)
    assert (error and error.extensions) == (found and {"code": "TOO_MANY_VALUES", "limit": 6, "found": found})


def test_counting_stops_at_the_limit() -> None:
    error = check_values({"a": [[1] * 7] * 1_000, "b": [1] * 100_000}, LIMITS)
    assert error is not None
    assert error.extensions == {"code": "TOO_MANY_VALUES", "limit": 6, "found": 1_002}
