"""Every kind of fact has a schema and every schema a kind, and a schema only grows.

That facts are what their schemas say is checked wherever they are recorded: the fixture `database` looks at all that a
test leaves behind.
"""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from enum import StrEnum
from typing import Any

import pytest

from models import HoldStatus, PaymentStatus, RefundStatus
from scripts.facts import committed, grown, losses, of_type, schema_of, without_version
from services import flights, tickets
from services.amendments import rows as amendments
from services.bookings import rows
from services.extras import orders
from services.facts import KINDS, PASSING
from services.holds import telling
from tests.contracts.sources import ROOT
from tests.factories.facts import misfits

RECORDERS = {"record", "begin", "advance", "say", "tell", "tell_places", "move", "fact_for", "Told"}
A_KIND = re.compile(r"[a-z]+\.[a-z_]+")
IN_SQL = re.compile(r"INSERT INTO facts \(kind, stream, payload\)\s+SELECT '([^']+)'")


def named(machine: str, states: type[StrEnum], *but: StrEnum) -> set[str]:
    """The kinds that services make of a machine's name and the state that was come to."""
    return {f"{machine}.{state.lower()}" for state in states if state not in but}


MADE = {
    *rows.FACTS.values(),
    *flights.FACTS.values(),
    *tickets.FACTS.values(),
    *amendments.FACTS.values(),
    *telling.SEAT_FACTS.values(),
    *orders.FACTS.values(),
    *named("hold", HoldStatus, HoldStatus.ACTIVE),
    *named("refund", RefundStatus),
    *named("payment", PaymentStatus, PaymentStatus.PARTIALLY_REFUNDED),
}
"""Kinds that no line of the code spells out."""


def spelled() -> set[str]:
    """Kinds that are written out where a fact is recorded: in a call, as the value of "kind", as a constant, in SQL."""
    found = set()
    for file in (ROOT / "services").rglob("*.py"):
        found |= {text for text in recorded(ast.parse(file.read_text())) if A_KIND.fullmatch(text)}
    newest = {file.stem.rpartition("_")[0]: file for file in sorted((ROOT / "alembic" / "functions").glob("*.sql"))}
    return found.union(*(IN_SQL.findall(file.read_text()) for file in newest.values()))


def recorded(tree: ast.AST) -> Iterator[str]:
    for node in ast.walk(tree):
        match node:
            case ast.Call(func=ast.Name(id=name) | ast.Attribute(attr=name), args=arguments) if name in RECORDERS:
                yield from texts(arguments)
            case ast.Dict(keys=keys, values=values):
                yield from texts(
                    [value for key, value in zip(keys, values, strict=True) if key and "kind" in texts([key])]
                )
            case ast.Assign(targets=[ast.Name(id="fact")], value=ast.IfExp(body=one, orelse=other)):
                yield from texts([one, other])
            case ast.Assign(targets=[ast.Tuple()], value=ast.Tuple(elts=values)):
                yield from texts(values)


def texts(nodes: list[ast.expr]) -> list[str]:
    return [node.value for node in nodes if isinstance(node, ast.Constant) and isinstance(node.value, str)]


def test_every_kind_that_is_recorded_is_declared_and_no_other() -> None:
    assert spelled() | MADE == set(KINDS)


def test_the_schemas_are_what_is_declared() -> None:
    declared = {kind: schema_of(kind, about) for kind, about in KINDS.items()}
    assert {kind: without_version(schema) for kind, schema in committed().items()} == declared


def test_what_bookings_are_rebuilt_from_stays() -> None:
    assert {kind.partition(".")[0] for kind in PASSING} == {"seat", "places", "hold", "board"}


def of(payload: dict[str, Any], *, required: list[str]) -> dict[str, Any]:
    """A schema as docs/facts has it."""
    return {"type": "object", "properties": payload, "required": required, "version": 3}


TEXT, NUMBER = {"type": "string"}, {"type": "integer"}
BEFORE = of({"a": TEXT, "b": {"anyOf": [TEXT, {"type": "null"}]}, "c": {"enum": ["X"]}}, required=["a", "b", "c"])
ROOMIER = of({**BEFORE["properties"], "c": {"enum": ["X", "Y"]}, "d": NUMBER}, required=["a", "b", "c", "d"])


def test_a_field_more_is_the_next_version() -> None:
    written, lost = grown({"seat.lost": BEFORE}, {"seat.lost": without_version(ROOMIER), "seat.found": {}})
    assert lost == []
    assert {kind: schema["version"] for kind, schema in written.items()} == {"seat.lost": 4, "seat.found": 1}
    again, _ = grown(written, {"seat.lost": without_version(ROOMIER), "seat.found": {}})
    assert again == written


@pytest.mark.parametrize(
    ("after", "lost"),
    [
        (of({**BEFORE["properties"], "a": NUMBER}, required=["a", "b", "c"]), ".a: type was string, is integer"),
        (of(BEFORE["properties"], required=["a", "c"]), ".b was always there"),
        (
            of({**BEFORE["properties"], "b": {"anyOf": [NUMBER, {"type": "null"}]}}, required=["a", "b", "c"]),
            ".b: type was string, is integer",
        ),
        (
            of({**BEFORE["properties"], "a": {**TEXT, "format": "uuid"}}, required=["a", "b", "c"]),
            ".a: format was None",
        ),
    ],
)
def test_what_consumers_would_lose_is_named(after: dict[str, Any], lost: str) -> None:
    assert [line.startswith(lost) for line in losses(BEFORE, after)] == [True]


def test_a_kind_that_is_gone_is_named() -> None:
    assert grown({"seat.lost": BEFORE}, {})[1] == ["seat.lost: nobody tells it any more"]


def test_a_type_without_a_schema_is_refused() -> None:
    with pytest.raises(TypeError, match="has no JSON Schema here"):
        of_type(bytes)


def test_what_a_schema_does_not_say_is_found() -> None:
    message = {"position": 1, "id": 1, "kind": "session.started", "stream": "session:1", "payload": {"user_id": "me"}}
    assert misfits([message]) == ["session.started: $.payload.user_id: 'me' is not a 'uuid'"]
    more = {**message, "payload": {"user_id": "0190163d-8694-739b-aea5-966c26f8ad91", "name": "Ann"}}
    assert "name" in misfits([more])[0]
    assert "does not match '^session:'" in misfits([{**message, "stream": "slot:1"}])[0]
    assert misfits([{"kind": "seat.lost"}]) == [
        "seat.lost has no schema: declare it in services/facts, then `make schema`"
    ]
