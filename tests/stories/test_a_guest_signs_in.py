"""A guest holds a seat, then remembers that she has an account, and books as herself."""

from __future__ import annotations

from typing import Any

from tests.fakes.clients import Client, key
from tests.stories.journeys import choose, hold, in_days, traveller

REGISTER = """
mutation($input: RegisterInput!) { register(input: $input) {
  __typename ... on SignedIn { accessToken refreshToken user { id email } } ... on Problem { code } } }
"""
REFRESH = """
mutation($input: RefreshSessionInput!) { refreshSession(input: $input) {
  __typename ... on SignedIn { accessToken refreshToken } ... on Problem { code } } }
"""


async def test_a_guest_signs_in(server_url: str) -> None:
    async with Client(server_url) as guest:
        choice = await choose(guest, in_days(16), seats=1)
        held = await hold(guest, choice)
        account = await register(guest, f"{key()}@example.org")

    async with Client(server_url, account["accessToken"]) as edith, Client(server_url) as mallory:
        # Somebody without the token can neither extend nor book nor release it.
        stranger = await mallory.do("ReleaseHold", holdId=held["id"])
        assert stranger["code"] == "NOT_FOUND"
        forged = await mallory.do("ReleaseHold", holdId=held["id"], token=held["token"][:-2] + "AA")
        assert forged["code"] == "WRONG_TOKEN"

        # Signed in, with the guest's token, she books. She needs no booking token: it is hers.
        booking = await edith.do(
            "CreateBooking",
            offerId=choice.offer["id"],
            holdId=held["id"],
            holdToken=held["token"],
            idempotencyKey="edith-1",
            contact={"email": "edith@example.org"},
            passengers=[traveller("Edith", "Clarke", choice.flight_id, choice.seats[0])],
        )
        assert booking["__typename"] == "Booking"
        assert booking["accessToken"] is None
        paid = await edith.do(
            "PayBooking", bookingId=booking["id"], paymentMethod="pm_card_visa", idempotencyKey="edith-2"
        )
        assert paid["booking"]["status"] == "CONFIRMED"

        # By its id it is hers alone; a guest who guesses the id sees nothing.
        by_id = "query($id: ID!) { node(id: $id) { __typename ... on Booking { pnr contact { email } } } }"
        mine = await edith.post(by_id, {"id": booking["id"]})
        assert mine["data"]["node"]["contact"] == {"email": "edith@example.org"}
        assert (await mallory.post(by_id, {"id": booking["id"]}))["data"] == {"node": None}

        # A refresh token is good once. Used again it ends the session, for whoever has the newer one too.
        first = await refresh(mallory, account["refreshToken"])
        assert first["__typename"] == "SignedIn"
        assert (await refresh(mallory, account["refreshToken"]))["code"] == "UNAUTHENTICATED"
        assert (await refresh(mallory, first["refreshToken"]))["code"] == "UNAUTHENTICATED"


async def register(client: Client, email: str) -> Any:
    """A new account."""
    input_ = {"email": email, "password": "a long enough secret", "name": "Edith"}
    answer = await client.post(REGISTER, {"input": input_})
    assert answer["data"]["register"]["__typename"] == "SignedIn", answer
    return answer["data"]["register"]


async def refresh(client: Client, token: str) -> Any:
    """Exchange a refresh token."""
    return (await client.post(REFRESH, {"input": {"refreshToken": token}}))["data"]["refreshSession"]
