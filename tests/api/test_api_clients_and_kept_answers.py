"""A kept answer is found by the bytes of a request with its key: one that is wrong, or was retired, finds none."""

from __future__ import annotations

from uuid import uuid4

import httpx

from core.embedded import EmbeddedPostgres
from tests.fakes.commands import run
from tests.fakes.servers import Server
from tests.fakes.waiting import eventually

BODY = {"query": "{ paymentSettings { __typename } }"}


def asked(url: str, key: str | None) -> httpx.Response:
    headers = {} if key is None else {"x-api-key": key}
    return httpx.post(f"{url}/graphql", json=BODY, headers=headers, timeout=20)


def code(answer: httpx.Response) -> str:
    return str(answer.json()["errors"][0]["extensions"]["code"])


async def test_a_kept_answer_ends_with_the_key(server: Server) -> None:
    database_url = EmbeddedPostgres(server.home / "postgres").url()
    name = f"client-{uuid4().hex}"
    registered = await run("scripts.clients", "register", name, "anything", database_url=database_url)
    assert registered.code == 0, registered.err
    key = registered.out.splitlines()[-1]

    async def is_kept() -> bool:
        answer = asked(server.url, key)
        return answer.status_code == 200 and "age" in answer.headers

    await eventually(is_kept)
    assert code(asked(server.url, key + "x")) == "API_KEY_UNKNOWN"
    assert (await run("scripts.clients", "retire", name, database_url=database_url)).code == 0

    async def is_refused() -> bool:
        return asked(server.url, key).status_code == 403

    await eventually(is_refused)
    assert code(asked(server.url, key)) == "API_KEY_RETIRED"
    assert asked(server.url, None).status_code == 200
