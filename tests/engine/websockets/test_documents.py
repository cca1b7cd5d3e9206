"""Documents that are named rather than sent, and who may send what."""

from __future__ import annotations

from hashlib import sha256

from engine.documents import Policy
from engine.http import Caller
from tests.engine.websockets.talk import answers, greet, opened, refused, still_serves, subscribe
from tests.engine.websockets.toy import Serving, served, toy


async def test_a_document_is_asked_for_by_its_hash(serving: Serving) -> None:
    document = "subscription($to: Int!) { count(to: $to) { number } }"
    persisted = {"persistedQuery": {"version": 1, "sha256Hash": sha256(document.encode()).hexdigest()}}
    async with opened(serving) as socket:
        await greet(socket)
        await subscribe(socket, None, extensions=persisted, variables={"to": 1})
        assert await refused(socket) == ("PERSISTED_QUERY_NOT_FOUND", "PersistedQueryNotFound")
        for query in (document, None):
            await subscribe(socket, query, extensions=persisted, variables={"to": 1})
            assert await answers(socket) == [{"data": {"count": {"number": 1}}}]


async def test_a_hash_of_something_else_is_refused(serving: Serving) -> None:
    async with opened(serving) as socket:
        await greet(socket)
        await subscribe(socket, "{ hello }", extensions={"persistedQuery": {"version": 1, "sha256Hash": "0" * 64}})
        assert (await refused(socket))[0] == "PERSISTED_QUERY_HASH_MISMATCH"
        await still_serves(socket)


async def test_an_id_that_nobody_knows_is_refused(serving: Serving) -> None:
    async with opened(serving) as socket:
        await greet(socket)
        await subscribe(socket, None, documentId="sha256:" + "0" * 64)
        assert (await refused(socket))[0] == "DOCUMENT_NOT_FOUND"
        await still_serves(socket)


async def test_who_may_send_trusted_documents_alone_may_send_nothing_else() -> None:
    with served(toy(caller=Caller("partner", Policy.TRUSTED))) as serving:
        async with opened(serving) as socket:
            await greet(socket)
            await subscribe(socket, "{ hello }")
            assert (await refused(socket))[0] == "DOCUMENT_NOT_TRUSTED"
