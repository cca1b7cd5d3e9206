"""Staff look after discrepancies over HTTP; nobody else does."""

from __future__ import annotations

import asyncpg
import pytest

from tests.api.test_staff import signed_in
from tests.fakes.clients import Client
from tests.fakes.servers import Server

OPEN = """
    query ($settled: Boolean!, $first: Int, $after: ID) {
        discrepancies(settled: $settled, first: $first, after: $after) {
            id gateway kind subject bookingId details { name value } settledBy settledWhy
        }
    }
"""
SETTLE = """
    mutation ($input: SettleDiscrepancyInput!) {
        settleDiscrepancy(input: $input) {
            __typename
            ... on Discrepancy { id settledWhy }
            ... on Problem { code }
            ... on InvalidInput { field }
        }
    }
"""
NOTED = """
    INSERT INTO discrepancies (id, gateway, kind, subject, details, found_at)
    SELECT gen_random_uuid(), 'stripe', 'UNKNOWN_PAYMENT', subject, '{"outcome": "Captured", "amount": 1000}', now()
    FROM unnest($1::text[]) AS found (subject)
"""


async def note(server: Server, *subjects: str) -> None:
    """Have something found."""
    connection = await asyncpg.connect(user="jetway", database="jetway", host=str(server.home / "postgres"))
    await connection.execute(NOTED, list(subjects))
    await connection.close()


async def test_staff_see_them_page_by_page_and_settle_each_once(server: Server) -> None:
    await note(server, "pi_first", "pi_second")
    async with Client(server.url, await signed_in(server, "STAFF")) as staff:
        (one,) = (await staff.post(OPEN, {"settled": False, "first": 1}))["data"]["discrepancies"]
        (two,) = (await staff.post(OPEN, {"settled": False, "after": one["id"]}))["data"]["discrepancies"]
        assert {one["subject"], two["subject"]} == {"pi_first", "pi_second"}
        assert one["details"] == [{"name": "amount", "value": "1000"}, {"name": "outcome", "value": "Captured"}]
        assert (one["gateway"], one["kind"], one["bookingId"]) == ("stripe", "UNKNOWN_PAYMENT", None)
        for found in (one, two):
            settled = await staff.post(SETTLE, {"input": {"discrepancyId": found["id"], "reason": "a rehearsal"}})
            assert settled["data"]["settleDiscrepancy"] == {
                "__typename": "Discrepancy",
                "id": found["id"],
                "settledWhy": "a rehearsal",
            }
        again = await staff.post(SETTLE, {"input": {"discrepancyId": one["id"], "reason": "twice"}})
        assert again["data"]["settleDiscrepancy"] == {"__typename": "Conflict", "code": "SETTLED"}
        wordless = await staff.post(SETTLE, {"input": {"discrepancyId": one["id"], "reason": " "}})
        assert wordless["data"]["settleDiscrepancy"]["field"] == "reason"
        assert (await staff.post(OPEN, {"settled": False}))["data"]["discrepancies"] == []
        done = (await staff.post(OPEN, {"settled": True}))["data"]["discrepancies"]
        assert {found["settledWhy"] for found in done} == {"a rehearsal"}


@pytest.mark.parametrize(("role", "code"), [(None, "UNAUTHENTICATED"), ("CUSTOMER", "FORBIDDEN")])
async def test_nobody_else_does(server: Server, role: str | None, code: str) -> None:
    token = None if role is None else await signed_in(server, role)
    async with Client(server.url, token) as client:
        (error,) = (await client.post(OPEN, {"settled": False}))["errors"]
        assert error["extensions"]["code"] == code
        answer = await client.post(SETTLE, {"input": {"discrepancyId": "RGlzY3JlcGFuY3k6MQ==", "reason": "mine"}})
        assert answer["data"]["settleDiscrepancy"]["code"] == code
