"""Who is asking: at the greeting, at each operation, and when credentials end while a socket is open."""

from __future__ import annotations

import pytest

from tests.engine.websockets.talk import (
    answers,
    closing,
    greet,
    hear,
    opened,
    say,
    still_serves,
    subscribe,
    until_empty,
)
from tests.engine.websockets.toy import Serving, Toy, served, toy

REVOKED = (4403, "The credentials were revoked")


@pytest.mark.parametrize("name", ["authorization", "Authorization"])
async def test_credentials_come_with_the_greeting(serving: Serving, name: str) -> None:
    async with opened(serving) as socket:
        await greet(socket, payload={name: "Bearer good-ada"})
        await subscribe(socket, "{ who }")
        assert (await answers(socket))[0]["data"] == {"who": "ada"}


@pytest.mark.parametrize("credential", ["Bearer x", "", 7, ["Bearer good-ada"]])
async def test_bad_credentials_close_with_4403(serving: Serving, credential: object) -> None:
    async with opened(serving) as socket:
        await say(socket, type="connection_init", payload={"authorization": credential})
        code, reason = await closing(socket)
        assert code == 4403
        assert reason in ("The token is no good.", "authorization is not a string")


async def test_a_fault_at_the_greeting_closes_with_4500_and_says_nothing_of_it(serving: Serving, standing: Toy) -> None:
    before = len(standing.watch.faults)
    async with opened(serving) as socket:
        await say(socket, type="connection_init", payload={"authorization": "Bearer fault"})
        assert await closing(socket) == (4500, "Internal error")
    assert [type(fault) for fault in standing.watch.faults[before:]] == [ZeroDivisionError]


async def test_each_operation_has_a_context_of_its_own(serving: Serving, standing: Toy) -> None:
    made: list[object] = []
    hooks = standing.app.house.hooks
    make_context = hooks.make_context

    def noted(*arguments: object) -> object:
        made.append(make_context(*arguments))  # type: ignore[arg-type]
        return made[-1]

    object.__setattr__(hooks, "make_context", noted)
    try:
        async with opened(serving) as socket:
            await greet(socket)
            for _ in range(2):
                await still_serves(socket)
    finally:
        object.__setattr__(hooks, "make_context", make_context)
    assert len({id(context) for context in made}) == 3


async def test_the_socket_is_closed_when_the_credentials_expire() -> None:
    standing = toy(expires_in=lambda context: 0.05 if context["who"] == "ada" else None)
    with served(standing) as serving:
        async with opened(serving) as guest, opened(serving) as socket:
            await greet(guest)
            await say(socket, type="connection_init", payload={"authorization": "Bearer good-ada"})
            assert await hear(socket) == {"type": "connection_ack"}
            assert await closing(socket) == (4403, "The credentials have expired")
            await still_serves(guest)


async def test_revoked_credentials_close_their_sockets_and_no_others(serving: Serving, standing: Toy) -> None:
    async with opened(serving) as first, opened(serving) as second, opened(serving) as other:
        for socket, who in ((first, "ada"), (second, "ada"), (other, "bob")):
            await greet(socket, payload={"authorization": f"Bearer good-{who}"})
        await subscribe(first, "subscription { forever }")
        await hear(first)
        assert serving.call(lambda: standing.app.revoke("user:ada", "user:nobody")) == 2
        assert [await closing(socket) for socket in (first, second)] == [REVOKED, REVOKED]
        await still_serves(other)
    await until_empty(standing)


async def test_nothing_more_is_told_once_the_credentials_are_revoked(serving: Serving, standing: Toy) -> None:
    async with opened(serving) as socket:
        await greet(socket, payload={"authorization": "Bearer good-eve"})

        def revoke_and_ask() -> None:
            (one,) = [one for one in standing.app.census.sockets if one.identities == ("user:eve",)]
            standing.app.revoke("user:eve")
            one.heard('{"type":"ping"}')
            one.outbox.send(b"{}")

        serving.call(revoke_and_ask)
        assert await closing(socket) == REVOKED


async def test_credentials_that_are_no_good_any_more_end_the_operation(serving: Serving, standing: Toy) -> None:
    async with opened(serving) as socket:
        await greet(socket, payload={"authorization": "Bearer good-zoe"})
        (one,) = [one for one in standing.app.census.sockets if one.identities == ("user:zoe",)]
        one._credentials = "Bearer gone"
        await subscribe(socket, "{ who }")
        message = await hear(socket)
        assert (message["type"], message["payload"][0]["extensions"]) == ("error", {"code": "UNAUTHENTICATED"})
