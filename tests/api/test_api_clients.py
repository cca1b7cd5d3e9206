"""API clients on a real server: known by a key, held to their own policy, finding their own documents."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator
from dataclasses import replace
from typing import Any
from uuid import uuid4

import httpx
import pytest
from websockets.asyncio.client import connect
from websockets.exceptions import ConnectionClosed
from websockets.typing import Subprotocol

from core.db import Database
from core.embedded import EmbeddedValkey
from core.settings import asyncpg_url
from engine.documents.finding import hash_of
from models import DocumentPolicy
from services import clients, documents
from services.clients import ChangeClient, RegisterClient, RetireClient
from tests.fakes.given import GivenValkey
from tests.fakes.toy_server import toy_server, toy_settings
from tests.fakes.waiting import eventually

HELLO, SHOUT = "{ hello }", '{ hello(name: "you") }'
ANYTHING, PERSISTED, TRUSTED = DocumentPolicy
BY = "operator:grace"
GREETED = {"hello": "hello world"}


@pytest.fixture(scope="module")
def url(module_database_url: str, valkey: EmbeddedValkey | GivenValkey) -> Any:
    """A server whose clients without a key may send trusted documents alone."""
    with toy_server(replace(toy_settings(module_database_url, valkey.url), documents="trusted")) as address:
        yield address


@pytest.fixture
async def written(module_database_url: str) -> AsyncIterator[Database]:
    """Its database."""
    database = Database(asyncpg_url(module_database_url), pool_size=2)
    yield database
    await database.close()


class Program:
    """A client that was registered for one test."""

    def __init__(self, url: str, database: Database, name: str, key: str) -> None:
        self.url, self.database, self.name, self.key = url, database, name, key

    async def asks(self, key: str | None = None, accept: str = "application/json", **request: Any) -> httpx.Response:
        """The answer to a request with its key."""
        headers = {"x-api-key": key or self.key, "accept": accept}
        async with httpx.AsyncClient(base_url=self.url, headers=headers, timeout=20) as http:
            return await http.post("/graphql", json=request)

    async def told(self, **request: Any) -> Any:
        """The data, or the code of the first error."""
        answer = (await self.asks(**request)).json()
        return answer["errors"][0]["extensions"]["code"] if "errors" in answer else answer["data"]

    async def comes_to(self, wanted: Any, **request: Any) -> None:
        """Ask until that is the answer: every process knows within a second."""

        async def so() -> bool:
            return bool(await self.told(**request) == wanted)

        await eventually(so)

    async def loads(self, manifest: str, **texts: str) -> None:
        """Trust documents."""
        async with self.database.transaction() as session:
            await documents.load(session, manifest, texts)

    async def may_send(self, policy: DocumentPolicy) -> None:
        """Have its policy changed."""
        async with self.database.transaction() as session:
            await clients.change(session, ChangeClient(name=self.name, documents=policy), BY)

    async def retires(self) -> None:
        """Have its key retired."""
        async with self.database.transaction() as session:
            await clients.retire(session, RetireClient(name=self.name), BY)


async def registered(url: str, database: Database, policy: DocumentPolicy, manifest: str | None = None) -> Program:
    """A client that the server knows already."""
    name = f"client-{uuid4().hex}"
    async with database.transaction() as session:
        command = RegisterClient(name=name, documents=policy, manifest=manifest)
        program = Program(url, database, name, (await clients.register(session, command, BY)).key)

    async def is_known() -> bool:
        return bool(await program.told(query=HELLO) != "API_KEY_UNKNOWN")

    await eventually(is_known)
    return program


async def test_each_client_has_a_policy_of_its_own(url: str, written: Database) -> None:
    by_hash = {"extensions": {"persistedQuery": {"version": 1, "sha256Hash": hash_of(HELLO)}}}
    free = await registered(url, written, ANYTHING)
    assert await free.told(query=HELLO, **by_hash) == GREETED
    stricter = [await registered(url, written, policy) for policy in (PERSISTED, TRUSTED)]
    told = [(await one.told(query=HELLO), await one.told(**by_hash)) for one in stricter]
    assert told == [("DOCUMENT_NOT_PERSISTED", GREETED), ("DOCUMENT_NOT_TRUSTED", "DOCUMENT_NOT_TRUSTED")]
    async with httpx.AsyncClient(base_url=url) as nobody:
        answer = (await nobody.post("/graphql", json={"query": HELLO})).json()
    assert answer["errors"][0]["extensions"]["code"] == "DOCUMENT_NOT_TRUSTED"


async def test_the_same_id_is_each_partners_own(url: str, written: Database) -> None:
    one, other = [await registered(url, written, TRUSTED, uuid4().hex) for _ in range(2)]
    for program, text in ((one, HELLO), (other, SHOUT)):
        async with written.reading() as session:
            manifest = {client.name: client.manifest for client in await clients.listing(session)}[program.name]
        await program.loads(str(manifest), greet=text)
    await one.comes_to(GREETED, documentId="greet")
    await other.comes_to({"hello": "hello you"}, documentId="greet")
    third = await registered(url, written, TRUSTED)
    assert await third.told(documentId="greet") == "DOCUMENT_NOT_FOUND"


@pytest.mark.parametrize("key", ["jetway_wrong", "é", "x" * 5_000])
async def test_a_wrong_key_is_refused_whatever_is_asked(url: str, written: Database, key: str) -> None:
    program = Program(url, written, "nobody", "")
    refused = await program.asks(key=key.encode(), query=HELLO)  # type: ignore[arg-type]
    assert (refused.status_code, refused.json()["errors"][0]["extensions"]) == (403, {"code": "API_KEY_UNKNOWN"})
    assert "www-authenticate" not in refused.headers


async def test_a_change_of_policy_is_known_to_the_process(url: str, written: Database) -> None:
    program = await registered(url, written, TRUSTED)
    await program.may_send(ANYTHING)
    await program.comes_to(GREETED, query=HELLO)
    await program.may_send(PERSISTED)
    await program.comes_to("DOCUMENT_NOT_PERSISTED", query=HELLO)


async def test_a_client_that_is_retired_loses_its_sockets_and_streams(url: str, written: Database) -> None:
    program, other = [await registered(url, written, ANYTHING) for _ in range(2)]
    sockets, headers = url.replace("http", "ws", 1) + "/graphql", {"accept": "text/event-stream"}
    protocol = [Subprotocol("graphql-transport-ws")]
    async with (
        connect(sockets, subprotocols=protocol) as hers,
        connect(sockets, subprotocols=protocol) as theirs,
        httpx.AsyncClient(base_url=url, headers={**headers, "x-api-key": program.key}, timeout=20) as http,
        http.stream("POST", "/graphql", json={"query": "subscription { forever }"}) as stream,
    ):
        for socket, one in ((hers, program), (theirs, other)):
            await socket.send(json.dumps({"type": "connection_init", "payload": {"X-API-Key": one.key}}))
            assert json.loads(await socket.recv()) == {"type": "connection_ack"}
        await program.retires()
        lines = [line async for line in stream.aiter_lines() if line.startswith(("event: ", "data: "))]
        assert '"code":"UNAUTHENTICATED"' in lines[-2]
        assert lines[-1] == "event: complete"
        with pytest.raises(ConnectionClosed) as closed:
            await hers.recv()
        assert closed.value.rcvd is not None
        assert (closed.value.rcvd.code, closed.value.rcvd.reason) == (4403, "The credentials were revoked")
        await theirs.send(json.dumps({"type": "ping"}))
        assert json.loads(await theirs.recv()) == {"type": "pong"}
    assert await program.told(query=HELLO) == "API_KEY_RETIRED"


async def test_a_socket_with_a_wrong_key_is_closed(url: str) -> None:
    sockets = url.replace("http", "ws", 1) + "/graphql"
    for payload in ({"x-api-key": "jetway_wrong"}, {"x-api-key": 7}):
        async with connect(sockets, subprotocols=[Subprotocol("graphql-transport-ws")]) as socket:
            await socket.send(json.dumps({"type": "connection_init", "payload": payload}))
            with pytest.raises(ConnectionClosed) as closed:
                await socket.recv()
            assert closed.value.rcvd is not None
            assert closed.value.rcvd.code == 4403


async def test_the_policy_of_a_client_holds_on_its_sockets(url: str, written: Database) -> None:
    program = await registered(url, written, PERSISTED)
    sockets = url.replace("http", "ws", 1) + "/graphql"
    async with connect(sockets, subprotocols=[Subprotocol("graphql-transport-ws")]) as socket:
        await socket.send(json.dumps({"type": "connection_init", "payload": {"x-api-key": program.key}}))
        await socket.recv()
        await socket.send(json.dumps({"type": "subscribe", "id": "1", "payload": {"query": HELLO}}))
        refused = json.loads(await socket.recv())
    assert refused["type"] == "error"
    assert refused["payload"][0]["extensions"]["code"] == "DOCUMENT_NOT_PERSISTED"
