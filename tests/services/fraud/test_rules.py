"""Rules are data: staff set them, each change is told with who made it and why, and nonsense is refused."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest
from sqlalchemy import select

from core.db import Database
from core.errors import Invalid
from models import Fact, FraudMeasure, FraudRule, FraudSubject, FraudVerdict
from services import fraud
from services.fraud import SetFraudRule
from services.fraud.rules import CLAIMED
from services.transitions import Cause

BY_STAFF = Cause(actor="user:7", reason="a wave of stolen cards")
COMMAND = SetFraudRule(
    name="user_declines",
    measure=FraudMeasure.DECLINES,
    subject=FraudSubject.USER,
    window_seconds=3600,
    most=4,
    verdict=FraudVerdict.BLOCK,
    reason="a wave of stolen cards",
)


async def write(database: Database, command: SetFraudRule) -> FraudRule:
    async with database.transaction() as session:
        return await fraud.set_rule(session, command, BY_STAFF)


async def told(database: Database) -> list[dict[str, Any]]:
    async with database.reading() as session:
        return list(await session.scalars(select(Fact.payload).where(Fact.kind == "fraud.rule_set").order_by(Fact.id)))


async def rules(database: Database) -> dict[str, tuple[int, str, str]]:
    async with database.reading() as session:
        return {one.name: (one.most, one.verdict, one.set_by) for one in await fraud.rules(session)}


async def test_a_limit_is_changed_and_who_did_it_is_kept(database: Database) -> None:
    assert (await rules(database))["user_declines"] == (8, "BLOCK", "jetway")
    rule = await write(database, COMMAND)
    assert (rule.most, rule.set_by, rule.reason) == (4, "user:7", "a wave of stolen cards")
    assert (await rules(database))["user_declines"] == (4, "BLOCK", "user:7")
    said = {"measure": "DECLINES", "subject": "USER", "seconds": 3600, "currency": None, "verdict": "BLOCK"}
    assert await told(database) == [
        {
            "rule": "user_declines",
            "from": said | {"most": 8},
            "to": said | {"most": 4},
            "actor": "user:7",
            "reason": "a wave of stolen cards",
        }
    ]


async def test_the_same_again_changes_nothing(database: Database) -> None:
    first = await write(database, COMMAND)
    assert (await write(database, COMMAND)).set_at == first.set_at
    assert len(await told(database)) == 1


async def test_a_rule_of_a_new_name_is_made(database: Database) -> None:
    many = len(await rules(database))
    await write(database, replace(COMMAND, name="user_declines_of_a_day", window_seconds=86400))
    assert len(await rules(database)) == many + 1
    assert (await told(database))[0]["from"] is None


@pytest.mark.parametrize(
    ("wrong", "field"),
    [
        ({"name": "No"}, "name"),
        ({"name": "x" * 51}, "name"),
        ({"most": -1}, "most"),
        ({"most": 10**15 + 1}, "most"),
        ({"subject": FraudSubject.PAYMENT, "window_seconds": None}, "subject"),
        ({"measure": FraudMeasure.SCORE}, "subject"),
        ({"measure": FraudMeasure.FOREIGN_CARD}, "subject"),
        ({"measure": FraudMeasure.CARDS, "subject": FraudSubject.CARD}, "subject"),
        ({"subject": FraudSubject.DEVICE}, "verdict"),
        ({"subject": FraudSubject.EMAIL}, "verdict"),
        ({"window_seconds": None}, "windowSeconds"),
        ({"window_seconds": 59}, "windowSeconds"),
        ({"window_seconds": 30 * 86400 + 1}, "windowSeconds"),
        ({"currency": "USD"}, "currency"),
        ({"measure": FraudMeasure.AMOUNT}, "currency"),
        ({"measure": FraudMeasure.AMOUNT, "currency": "usd"}, "currency"),
    ],
    ids=str,
)
async def test_what_cannot_be_meant_is_refused_and_changes_nothing(
    database: Database, wrong: dict[str, Any], field: str
) -> None:
    before = await rules(database)
    with pytest.raises(Invalid) as refusal:
        await write(database, replace(COMMAND, **wrong))
    assert refusal.value.field == field
    assert await rules(database) == before
    assert await told(database) == []


async def test_what_clients_claim_is_looked_at_and_no_first_rule_refuses_it(database: Database) -> None:
    for subject in (FraudSubject.DEVICE, FraudSubject.EMAIL):
        await write(database, replace(COMMAND, name="claimed", subject=subject, verdict=FraudVerdict.REVIEW))
    async with database.reading() as session:
        found = await fraud.rules(session)
    assert {one.verdict for one in found if one.subject in CLAIMED} == {FraudVerdict.REVIEW}
