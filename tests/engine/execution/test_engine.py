"""Under the engine's face: plans live and die with the document, and answers are told as ever."""

from __future__ import annotations

from typing import Any

import strawberry

from engine.documents import Documents, MemoryStore, Reading
from engine.errors import Errors
from engine.execution import CompilingExecutor, DocumentPlans
from engine.limits import Limits
from engine.operations import Asked, Engine


@strawberry.type
class Thing:
    """A thing."""

    name: str


@strawberry.type
class Query:
    """What is asked."""

    @strawberry.field
    async def things(self, bad: bool) -> list[Thing]:
        """Things, one of them without a name."""
        name: Any = None if bad else "b"
        return [Thing(name="a"), Thing(name=name)]


TEXT = "query ($bad: Boolean!) { things(bad: $bad) { name } }"


async def test_plans_stand_beside_the_document_and_errors_are_masked() -> None:
    schema = strawberry.Schema(Query)
    unexpected: list[BaseException] = []
    reading = Reading(schema, Limits(), plans=DocumentPlans)
    engine = Engine(
        schema,
        errors=Errors(describe=lambda _: None, unexpected=unexpected.append),
        documents=Documents(reading, store=MemoryStore()),
        executor=CompilingExecutor,
    )
    for _ in range(3):
        answer = await engine.execute(await engine.prepare(Asked(query=TEXT, variables={"bad": False})), None)
        assert answer.encode() == b'{"data":{"things":[{"name":"a"},{"name":"b"}]}}'
    plans: DocumentPlans = reading.read(TEXT).plans
    (operation,) = plans.operations.values()
    assert [plan is not None for one in operation.variants.values() for plan in one.plans.values()] == [True]
    answer = await engine.execute(await engine.prepare(Asked(query=TEXT, variables={"bad": True})), None)
    assert answer.data is None
    assert [error["extensions"]["code"] for error in answer.errors or ()] == ["INTERNAL"]
    assert len(unexpected) == 1
