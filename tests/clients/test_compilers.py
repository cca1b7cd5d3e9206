"""What clients' compilers make of the contract: Relay's conventions hold, operations are typed, documents trusted."""

from __future__ import annotations

import json
import re
from pathlib import Path

import pytest
from graphql import (
    GraphQLInterfaceType,
    GraphQLObjectType,
    OperationDefinitionNode,
    build_schema,
    get_named_type,
    is_object_type,
    parse,
)

from scripts.node import ROOT
from tests.clients.conftest import CONTRACT, TSC, load, run
from tests.fakes.servers import Server
from tests.stories.journeys import in_days

SCHEMA = build_schema((ROOT / "schema.graphql").read_text())
OBJECTS = [kind for name, kind in SCHEMA.type_map.items() if is_object_type(kind) and not name.startswith("__")]
MANIFESTS = {"relay": "persisted.json", "typed": "src/typed/persisted-documents.json"}

WRONG = """
import type { HoldSeatsMutation } from "./typed/graphql";
export const token = ({ holdSeats }: HoldSeatsMutation) => holdSeats?.token;
"""
"""A program that takes for granted that its seats were not somebody else's."""


def artifacts(build: Path) -> set[str]:
    """The names of what relay-compiler made."""
    return {file.name.removesuffix(".graphql.ts") for file in (build / "src/relay/__generated__").iterdir()}


def operations() -> list[str]:
    """The names of the contract's operations."""
    documents = [parse(file.read_text()) for file in CONTRACT.glob("*.graphql")]
    found = [one for document in documents for one in document.definitions if isinstance(one, OperationDefinitionNode)]
    return [one.name.value for one in found if one.name is not None]


def test_relay_refetches_every_node_and_pages_every_connection(build: Path) -> None:
    made = artifacts(build)
    node = SCHEMA.type_map["Node"]
    assert isinstance(node, GraphQLInterfaceType)
    nodes = {kind.name for kind in SCHEMA.get_possible_types(node)}
    assert {"Booking", "Flight", "Hold"} <= nodes
    assert {f"EveryNode{name}Query" for name in nodes} <= made
    connections = {
        f"EveryConnection{kind.name}{name[0].upper()}{name[1:]}Query"
        for kind in OBJECTS
        if isinstance(kind, GraphQLObjectType)
        for name, field in kind.fields.items()
        if get_named_type(field.type).name.endswith("Connection")
    }
    assert "EveryConnectionQueryFlightSearchQuery" in connections
    assert connections <= made


def test_relay_compiles_what_pages_are_made_of(build: Path) -> None:
    assert {
        "SearchPageMoreQuery", "FlightPageRefetchQuery", "FlightPageSeatsSubscription", "FlightPageHoldMutation",
        "BookingPageCancelMutation",
    } <= artifacts(build)  # fmt: skip


def test_every_operation_of_the_contract_is_typed(build: Path) -> None:
    typed = (build / "src/typed/graphql.ts").read_text()
    assert len(operations()) > 10
    assert [
        name for name in operations() if f"export const {name}Document = new TypedDocumentString(" not in typed
    ] == []
    types = re.sub(r"/\*.*?\*/", "", typed.partition("export class")[0], flags=re.DOTALL)
    assert re.findall(r"\bany\b", types) == []


def test_every_root_field_is_typed(build: Path) -> None:
    typed = (build / "src/everything/graphql.ts").read_text()
    for root in (SCHEMA.query_type, SCHEMA.mutation_type, SCHEMA.subscription_type):
        assert root is not None
        documents = {name: f"{name[0].upper()}{name[1:]}_{root.name}Document" for name in root.fields}
        assert [name for name, document in documents.items() if f"export const {document} = new" not in typed] == []


def test_who_forgets_a_refusal_is_told_by_the_compiler(build: Path) -> None:
    wrong = build / "src/wrong.ts"
    wrong.write_text(WRONG)
    try:
        refused = run(build, TSC, "--noEmit")
    finally:
        wrong.unlink()
    assert refused.returncode != 0
    assert refused.stdout.startswith("src/wrong.ts(3,")
    assert "error TS2339: Property 'token' does not exist on type" in refused.stdout


@pytest.fixture(scope="module")
def trusting(build: Path, server: Server) -> str:
    """Where a Jetway answers that trusts what both compilers wrote."""
    for client, file in MANIFESTS.items():
        count = len(json.loads((build / file).read_text()))
        assert load(server, client, build / file) == f"{count} documents of {client}, {count} of them new.\n"
    return f"{server.url}/graphql"


def test_a_typed_program_shops_by_ids(build: Path, trusting: str) -> None:
    done = run(build, "built/shop.js", trusting, in_days(16).isoformat())
    assert done.returncode == 0, done.stdout
    assert json.loads(done.stdout) == {
        "cents": True,
        "amount": "string",
        "mine": "held until",
        "rival": True,
        "event": "SeatMapSnapshot",
        "released": "HoldReleased",
    }


def test_relays_store_makes_one_list_of_two_pages(build: Path, trusting: str) -> None:
    done = run(build, "built/pages.js", trusting, in_days(16).isoformat())
    assert done.returncode == 0, done.stdout
    assert json.loads(done.stdout) == {"first": 2, "both": 5, "total": True, "node": True}
