"""Which media type a client is answered in: RFC 9110 section 12.5.1, GraphQL over HTTP section 5.2.

A client that names no type, or only a wildcard, is a legacy one and gets application/json. Server-sent events must be
named: a client that takes `*/*` does not know what to do with a response that never ends.
"""

from __future__ import annotations

import re
from enum import Enum
from functools import lru_cache
from typing import NamedTuple

WEIGHT = re.compile(r"0(\.\d{0,3})?|1(\.0{0,3})?")
LONGEST_KEPT = 512
"""Bytes of an Accept header whose reading is kept; nobody honest sends more."""

EVENTS = "text/event-stream"


class Kind(Enum):
    """The media types of one whole response. Under the first a status tells what became of the request; under the
    second, which is the older one, a refused document is 200."""

    RESPONSE = "application/graphql-response+json"
    JSON = "application/json"


class Accepted(NamedTuple):
    """What a client takes."""

    kind: Kind | None
    """The media type of one whole response; None where the client takes neither."""

    events: bool
    """Whether it takes server-sent events, having named them."""

    rather_events: bool
    """Whether it likes them better than a whole response."""


def negotiated(accept: bytes | None) -> Accepted:
    """What the Accept header says; a header that is missing or empty takes everything."""
    if accept is None or not accept.strip():
        return ANYTHING
    return read(accept) if len(accept) > LONGEST_KEPT else remembered(accept)


def read(accept: bytes) -> Accepted:
    """The same for a header that is there."""
    weights = ranges(accept.decode("latin-1"))
    response, json = weight(weights, Kind.RESPONSE.value), weight(weights, Kind.JSON.value)
    named = Kind.RESPONSE.value in weights
    kind = Kind.RESPONSE if response > json or (named and response == json > 0) else Kind.JSON
    events = weights.get(EVENTS, 0.0)
    best = max(response, json)
    return Accepted(kind if best > 0 else None, events > 0, events > best)


remembered = lru_cache(maxsize=256)(read)
ANYTHING = Accepted(Kind.JSON, events=False, rather_events=False)


def ranges(accept: str) -> dict[str, float]:
    """Each media range with its weight. Of a range that stands there twice the greater weight counts; parameters
    other than `q` and a charset that is not UTF-8 say nothing here."""
    weights: dict[str, float] = {}
    for element in accept.split(","):
        name, *parameters = (part.strip().lower() for part in element.split(";"))
        value = quality(parameters)
        if name and value is not None:
            weights[name] = max(value, weights.get(name, 0.0))
    return weights


def quality(parameters: list[str]) -> float | None:
    """The weight among the parameters of a media range; None for a range that means nothing to us."""
    value = 1.0
    for parameter in parameters:
        name, _, text = parameter.partition("=")
        if name.rstrip() == "q":
            if not WEIGHT.fullmatch(text.strip()):
                return None
            value = float(text)
        elif name.rstrip() == "charset" and not is_utf8(text):
            return None
    return value


def is_utf8(charset: str) -> bool:
    """Whether a charset, quoted or not, is UTF-8."""
    return charset.strip().strip('"').lower() in ("utf-8", "utf8")


def weight(weights: dict[str, float], kind: str) -> float:
    """The weight of a type: that of the most specific range that it falls under."""
    for name in (kind, f"{kind.partition('/')[0]}/*", "*/*"):
        if name in weights:
            return weights[name]
    return 0.0
