"""How many values the variables of a request have, counted before any of them is coerced."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from graphql import GraphQLError

from engine.limits.settings import Limits, exceeded


def check_values(variables: Mapping[str, Any] | None, limits: Limits) -> GraphQLError | None:
    """The refusal of variables with too many values, those in lists and objects counted; None where they may be read.

    They come from JSON: dicts, lists, and what has nothing inside. Counting stops as soon as there are too many.
    """
    count = 0
    waiting: list[Any] = [variables] if variables else []
    for values in waiting:
        count += len(values)
        if count > limits.values:
            break
        for value in values if type(values) is list else values.values():
            kind = type(value)  # every request pays for this: isinstance takes twice as long
            if kind is dict or kind is list:
                waiting.append(value)
    return exceeded(limits, "values", count)
