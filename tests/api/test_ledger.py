"""Staff read the ledger over HTTP; nobody else does."""

from __future__ import annotations

import pytest

from tests.api.test_staff import signed_in
from tests.fakes.clients import Client
from tests.fakes.servers import Server
from tests.stories.journeys import book, choose, hold, in_days, pay

STATEMENT = """
    query ($id: ID!) { ledgerStatement(bookingId: $id) { kind debit credit amount { minorUnits currency } } }
"""
BALANCES = """
    { ledgerBalances { account debits { minorUnits } credits { minorUnits } balance { minorUnits currency } } }
"""


async def test_staff_read_what_a_booking_moved_and_what_accounts_hold(server: Server) -> None:
    async with Client(server.url) as ada:
        choice = await choose(ada, in_days(17))
        booking = await book(ada, choice, await hold(ada, choice), ("Ada", "Lovelace"))
        assert (await pay(ada, booking))["status"] == "CAPTURED"
    async with Client(server.url, await signed_in(server, "STAFF")) as staff:
        statement = await staff.post(STATEMENT, {"id": booking["id"]})
        total = {"minorUnits": booking["total"]["minorUnits"], "currency": booking["total"]["currency"]}
        assert statement["data"]["ledgerStatement"] == [
            {"kind": "CAPTURED", "debit": "GATEWAY", "credit": "UNEARNED", "amount": total}
        ]
        balances = (await staff.post(BALANCES))["data"]["ledgerBalances"]
        sides = [sum(one[side]["minorUnits"] for one in balances) for side in ("debits", "credits")]
        assert sides[0] == sides[1] >= total["minorUnits"]
        for one in balances:
            difference = one["debits"]["minorUnits"] - one["credits"]["minorUnits"]
            assert one["balance"]["minorUnits"] == (difference if one["account"] == "GATEWAY" else -difference)


@pytest.mark.parametrize(("role", "code"), [(None, "UNAUTHENTICATED"), ("CUSTOMER", "FORBIDDEN")])
async def test_nobody_else_does(server: Server, role: str | None, code: str) -> None:
    token = None if role is None else await signed_in(server, role)
    async with Client(server.url, token) as client:
        for document, variables in ((BALANCES, None), (STATEMENT, {"id": "Qm9va2luZzox"})):
            answer = await client.post(document, variables)
            assert [one["extensions"]["code"] for one in answer["errors"]] == [code]
            assert set(answer["data"].values()) == {None}


async def test_what_is_no_booking_is_told(server: Server) -> None:
    async with Client(server.url, await signed_in(server, "ADMIN")) as staff:
        (error,) = (await staff.post(STATEMENT, {"id": "nonsense"}))["errors"]
        assert (error["extensions"]["code"], error["extensions"]["field"]) == ("INVALID_ID", "bookingId")
