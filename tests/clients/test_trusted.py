"""Apollo Client with a manifest as its own tool writes it: documents are named, never sent."""

from __future__ import annotations

import json
from hashlib import sha256
from pathlib import Path

from scripts import node
from tests.clients.conftest import load
from tests.fakes import npm
from tests.fakes.servers import Server

PEER_SECONDS = 60.0
BODY = (
    "query Airports($search: String!) {\n  airports(search: $search, first: 1) {\n    iataCode\n    __typename\n  }\n}"
)


def test_apollo_client_names_documents_by_its_manifest(server: Server, tmp_path: Path) -> None:
    npm.installed()
    trusted = {"id": sha256(BODY.encode()).hexdigest(), "name": "Airports", "type": "query", "body": BODY}
    manifest = tmp_path / "persisted-query-manifest.json"
    manifest.write_text(
        json.dumps({"format": "apollo-persisted-query-manifest", "version": 1, "operations": [trusted]})
    )
    assert load(server, "apollo", manifest) == "1 documents of apollo, 1 of them new.\n"
    said = node.run("apollo-trusted.mjs", f"{server.url}/graphql", str(manifest), seconds=PEER_SECONDS)
    assert json.loads(said) == {
        "data": {"airports": [{"__typename": "Airport", "iataCode": "JFK"}]},
        "sent": [["extensions", "operationName", "variables"]] * 2,
        "unknown": "PERSISTED_QUERY_NOT_FOUND",
    }
