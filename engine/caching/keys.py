"""What makes two operations the same: the document, the operation's name, the variables, and the audience."""

from __future__ import annotations

from collections.abc import Hashable
from decimal import Decimal
from typing import Any, NamedTuple

import orjson

from engine.operations import Prepared

SORTED = orjson.OPT_SORT_KEYS | orjson.OPT_PASSTHROUGH_SUBCLASS


class Key(NamedTuple):
    """Two operations with equal keys have the same answer at one moment."""

    sha256: str
    operation: str
    variables: bytes
    audience: Hashable


def key_of(prepared: Prepared, audience: Hashable) -> Key | None:
    """The key of an operation; None where its variables hold something that cannot be compared by what it says.

    The variables are those that the operation declares, coerced, with their defaults: how a client wrote them down, in
    which order, and what else it sent, makes no difference.
    """
    try:
        variables = orjson.dumps(prepared.variables.coerced, said, SORTED)
    except TypeError:
        return None
    name = prepared.operation.name
    return Key(prepared.sha256, name.value if name else "", variables, audience)


def said(value: Any) -> Any:
    """A value that JSON does not know, as text that says all of it. Raises TypeError for any other."""
    if isinstance(value, str | int | Decimal):
        return f"{type(value).__qualname__}:{value!s}"
    raise TypeError
