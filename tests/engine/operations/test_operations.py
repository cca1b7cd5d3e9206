"""The engine's face: prepared, executed, subscribed to; and what is told of what goes wrong."""

from __future__ import annotations

import asyncio
from dataclasses import replace
from hashlib import sha256
from typing import Any

import orjson
import pytest
from graphql import OperationType

from engine.documents import Documents, Policy, Reading, Trusted
from engine.limits import Limits
from engine.operations import Answer, Asked, Engine, RequestRefused, Spent
from tests.engine.schemas import SCHEMA, SECRET, Seen, make_errors, make_schema


def made(limits: Limits | None = None, **options: Any) -> Engine:
    """An engine on the toy schema."""
    return Engine(options.pop("schema", SCHEMA), errors=options.pop("errors", make_errors()), limits=limits, **options)


async def refused(engine: Engine, query: str | None = None, *, policy: Policy = Policy.ANYTHING, **asked: Any) -> Any:
    """The refusal of a request."""
    with pytest.raises(RequestRefused) as problem:
        await engine.prepare(Asked(query=query, **asked), policy=policy)
    return problem.value


async def answered(engine: Engine, query: str, context: Any = None, **asked: Any) -> Answer:
    """The answer to a query or a mutation."""
    prepared = await engine.prepare(Asked(query=query, **asked))
    return await engine.execute(prepared, {} if context is None else context, request_id="trip-7")


async def test_a_query_is_prepared_and_answered() -> None:
    engine = made()
    document = "query Greet($name: String!) { hello(name: $name) }"
    prepared = await engine.prepare(Asked(query=document, variables={"name": "Ada"}))
    answer = await engine.execute(prepared, {})
    assert answer.encode() == b'{"data":{"hello":"hello Ada"}}'
    assert (prepared.kind, prepared.persisted) == (OperationType.QUERY, False)
    assert prepared.sha256 == sha256(document.encode()).hexdigest()
    assert prepared.variables.coerced == {"name": "Ada"}


@pytest.mark.parametrize(
    ("asked", "code"),
    [
        (Asked(), "BAD_REQUEST"),
        (Asked(query="{"), "GRAPHQL_PARSE_FAILED"),
        (Asked(query="{ nothing }"), "GRAPHQL_VALIDATION_FAILED"),
        (Asked(query="{ ...F } fragment F on Query { ...F }"), "GRAPHQL_VALIDATION_FAILED"),
        (Asked(query="query ($n: Int!) { people(first: $n) { name } }"), "GRAPHQL_VALIDATION_FAILED"),
        (Asked(query="query ($n: Int) { people(first: $n) { name } }", variables={"n": "x"}),
         "GRAPHQL_VALIDATION_FAILED"),
        (Asked(query="query A { hello } query B { hello }"), "GRAPHQL_VALIDATION_FAILED"),
        (Asked(query="query A { hello }", operation_name="B"), "BAD_REQUEST"),
        (Asked(query="{ a " * 70 + "}" * 70), "TOO_DEEP"),
        (Asked(query="{ hello " * 3_000), "TOO_MANY_TOKENS"),
        (Asked(query="{" * 1_500), "GRAPHQL_PARSE_FAILED"),
        (Asked(query="{ a " * 600 + "}" * 600), "GRAPHQL_PARSE_FAILED"),
    ],
)  # fmt: skip
async def test_a_wrong_request_has_its_code_and_is_400(asked: Asked, code: str) -> None:
    with pytest.raises(RequestRefused) as problem:
        await made().prepare(asked)
    assert {error["extensions"]["code"] for error in problem.value.errors} == {code}
    assert problem.value.status == 400


async def test_of_several_operations_the_named_one_runs() -> None:
    document = 'query A { hello } query B { hello(name: "B") }'
    assert (await answered(made(), document, operation_name="B")).data == {"hello": "hello B"}


async def test_a_kind_of_operation_that_is_not_allowed_is_405() -> None:
    with pytest.raises(RequestRefused) as problem:
        await made().prepare(Asked(query="mutation { change }"), allowed=frozenset({OperationType.QUERY}))
    assert problem.value.status == 405
    assert problem.value.errors[0]["extensions"] == {"code": "OPERATION_NOT_ALLOWED", "operation": "mutation"}


async def test_a_refusal_is_told_and_a_fault_is_not() -> None:
    faults: list[BaseException] = []
    answer = await answered(made(errors=make_errors(faults)), "{ hello fault refusal }")
    told = {error["path"][0]: (error["message"], error["extensions"]) for error in answer.errors or ()}
    assert answer.data == {"hello": "hello world", "fault": None, "refusal": None}
    assert told == {
        "fault": ("Internal error", {"code": "INTERNAL", "requestId": "trip-7"}),
        "refusal": ("Not so.", {"code": "REFUSED"}),
    }
    assert [type(fault) for fault in faults] == [ZeroDivisionError]
    assert SECRET.encode() not in answer.encode()


async def test_breadth_and_cost_are_decided_by_variables() -> None:
    engine = made(replace(Limits(), cost=100, breadth=50))
    document = "query ($n: Int) { people(first: $n) { name } connection(first: 1) { nodes { age } } }"
    for number in (10, 50):
        assert (await engine.prepare(Asked(query=document, variables={"n": number}))).cost == 5 + number + 4
    broad = await refused(engine, document, variables={"n": 51})
    assert broad.errors[0]["extensions"] == {"code": "TOO_BROAD", "limit": 50, "found": 51}
    dear = await refused(engine, "{ a: people(first: 50) { name } b: people(first: 41) { name } }")
    assert dear.errors[0]["extensions"] == {"code": "TOO_COSTLY", "limit": 100, "found": 101}
    assert (
        await engine.prepare(Asked(query="{ a: people(first: 50) { name } b: people(first: 40) { name } }"))
    ).cost == 100


async def test_cost_is_told_where_it_is_wanted() -> None:
    answer = await answered(made(tells_cost=True), "{ people(first: 2) { name } }")
    assert answer.extensions == {"cost": {"requested": 7, "limit": 20_000}}


class Purse:
    """A budget of so much for each client."""

    def __init__(self, left: int) -> None:
        self.left = left
        self.asked: list[tuple[str | None, int]] = []

    async def spend(self, client: str | None, cost: int) -> Spent:
        self.asked.append((client, cost))
        if cost > self.left:
            return Spent(False, self.left, 30)
        self.left -= cost
        return Spent(True, self.left)


async def test_a_budget_is_spent_and_refuses_when_it_is_empty() -> None:
    purse = Purse(10)
    engine = made(tells_cost=True, budget=purse)
    prepared = await engine.prepare(Asked(query="{ people(first: 2) { name } }"), client="partner")
    answer = await engine.execute(prepared, {})
    assert answer.extensions == {"cost": {"requested": 7, "limit": 20_000, "remaining": 3}}
    problem = await refused(engine, "{ people(first: 2) { name } }")
    assert (problem.status, problem.headers) == (429, {"Retry-After": "30"})
    assert problem.errors[0]["extensions"] == {
        "code": "BUDGET_EXCEEDED", "requested": 7, "remaining": 3, "retryAfter": 30,
    }  # fmt: skip
    assert purse.asked == [("partner", 7), (None, 7)]


async def test_a_policy_refuses_documents_in_full() -> None:
    problem = await refused(made(), "{ hello }", policy=Policy.TRUSTED)
    assert (problem.status, problem.errors[0]["extensions"]) == (403, {"code": "DOCUMENT_NOT_TRUSTED"})


async def test_a_document_of_apollos_protocol_is_persisted() -> None:
    engine = made()
    extensions = {"persistedQuery": {"version": 1, "sha256Hash": sha256(b"{ hello }").hexdigest()}}
    problem = await refused(engine, extensions=extensions)
    assert problem.errors == [
        {"message": "PersistedQueryNotFound", "extensions": {"code": "PERSISTED_QUERY_NOT_FOUND"}}
    ]
    assert (await engine.prepare(Asked(query="{ hello }", extensions=extensions))).persisted
    by_hash = await engine.prepare(Asked(extensions=extensions))
    assert by_hash.persisted
    assert (await engine.execute(by_hash, {})).data == {"hello": "hello world"}


class Away:
    """A source of trusted documents that cannot be reached."""

    async def version(self) -> object:
        raise ConnectionError(SECRET)

    async def listed(self) -> list[Any]:
        raise ConnectionError(SECRET)

    async def text(self, sha256: str) -> str | None:
        raise ConnectionError(SECRET)


async def test_a_source_that_is_away_is_a_fault_that_is_masked() -> None:
    faults: list[BaseException] = []
    documents = Documents(Reading(SCHEMA, Limits()), trusted=Trusted(Away()))
    engine = Engine(SCHEMA, errors=make_errors(faults), documents=documents)
    with pytest.raises(RequestRefused) as problem:
        await engine.prepare(Asked(document_id="x"), request_id="trip-8")
    assert (problem.value.status, problem.value.errors[0]["extensions"]) == (
        500, {"code": "INTERNAL", "requestId": "trip-8"},
    )  # fmt: skip
    assert [type(fault) for fault in faults] == [ConnectionError]


async def test_what_the_executor_compiled_lives_with_the_document() -> None:
    class Noting(SCHEMA.execution_context_class):  # type: ignore[name-defined,misc]
        def __init__(self, *args: Any, plans: list[str], **kwargs: Any) -> None:
            super().__init__(*args, **kwargs)
            plans.append("ran")

    documents = Documents(Reading(SCHEMA, Limits(), plans=list))
    engine = Engine(SCHEMA, errors=make_errors(), documents=documents, executor=Noting)
    for _ in range(2):
        await answered(engine, "{ hello }")
    assert documents.reading.read("{ hello }").plans == ["ran", "ran"]
    assert documents.reading.read("{ person { age } }").plans == []


async def test_operations_are_observed_under_names_of_the_schema() -> None:
    seen: list[tuple[str, str, bool]] = []
    engine = made(observers=[lambda name, outcome, seconds: seen.append((name, outcome, seconds is not None))])
    await answered(engine, "query AnyName { hello }")
    await answered(engine, "{ hello fault }")
    await refused(engine, "{ nothing }")
    stream = await engine.subscribe(await engine.prepare(Asked(query="subscription { count(to: 1) }")), {})
    assert [answer.data async for answer in stream] == [{"count": 1}]
    assert seen == [
        ("query.hello", "ok", True),
        ("query.several", "error", True),
        ("none", "invalid", True),
        ("subscription.count", "ok", False),
    ]


async def test_extensions_of_the_schema_run_around_the_execution() -> None:
    engine = made(schema=make_schema(Seen))
    context: dict[str, Any] = {}
    answer = await answered(engine, "{ hello person { name } }", context)
    assert answer.body() == {
        "data": {"hello": "hello world", "person": {"name": "a name"}}, "extensions": {"seen": True},
    }  # fmt: skip
    assert context == {"seen": ["began", "ended"], "fields": ["hello", "person", "name"]}


async def test_the_engine_takes_either_documents_or_limits() -> None:
    with pytest.raises(ValueError, match="one of the two"):
        made(Limits(), documents=Documents(Reading(SCHEMA, Limits())))


async def test_a_slow_query_is_stopped() -> None:
    context: dict[str, Any] = {}
    answer = await answered(made(replace(Limits(), seconds=0.05)), "{ hello forever }", context)
    assert answer.data is None
    assert answer.errors == [
        {"message": "The operation took longer than 0.05 seconds.", "extensions": {"code": "TIMEOUT", "limit": 0.05}}
    ]
    assert context == {"stopped": True}


def changing() -> dict[str, Any]:
    """A context for the mutations."""
    return {"began": asyncio.Event(), "may_go_on": asyncio.Event()}


async def test_a_slow_mutation_is_not_stopped_and_its_outcome_is_unknown() -> None:
    engine, context = made(replace(Limits(), seconds=0.05)), changing()
    answer = await answered(engine, "mutation { change }", context)
    (error,) = answer.errors or [{}]
    assert answer.data is None
    assert error["extensions"] == {"code": "TIMEOUT", "limit": 0.05, "outcome": "UNKNOWN"}
    assert "changed" not in context
    context["may_go_on"].set()
    await engine.aclose(30)
    assert context["changed"]
    assert not engine.clock.left


async def test_a_mutation_whose_client_leaves_goes_on() -> None:
    engine, context = made(), changing()
    prepared = await engine.prepare(Asked(query="mutation { change }"))
    task = asyncio.create_task(engine.execute(prepared, context))
    await context["began"].wait()
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    context["may_go_on"].set()
    await engine.aclose(30)
    assert context["changed"]


async def test_a_fault_of_a_mutation_that_was_left_is_logged() -> None:
    faults: list[BaseException] = []
    engine, context = made(replace(Limits(), seconds=0.05), errors=make_errors(faults)), changing()
    await answered(engine, "mutation { breakLate }", context)
    context["may_go_on"].set()
    await engine.aclose(30)
    assert [type(fault) for fault in faults] == [ZeroDivisionError]


async def test_closing_the_engine_stops_what_does_not_end() -> None:
    engine, context = made(replace(Limits(), seconds=0.05)), changing()
    await answered(engine, "mutation { change }", context)
    await engine.aclose(0.05)
    assert "changed" not in context
    assert not engine.clock.left


async def test_a_subscription_answers_each_event() -> None:
    engine = made(tells_cost=True)
    prepared = await engine.prepare(Asked(query="subscription { people { name age } }"))
    stream = await engine.subscribe(prepared, {})
    told = [orjson.loads(answer.encode()) async for answer in stream]
    assert told == [
        {"data": {"people": {"name": "a name", "age": 30}}},
        {"data": {"people": {"name": "a name", "age": None}}},
    ]


async def test_a_fault_in_a_stream_is_its_last_answer() -> None:
    faults: list[BaseException] = []
    engine = made(errors=make_errors(faults))
    stream = await engine.subscribe(
        await engine.prepare(Asked(query="subscription { breaks }")), {}, request_id="trip-9"
    )
    answers = [answer async for answer in stream]
    assert [answer.data for answer in answers] == [{"breaks": 1}, None]
    assert answers[1].errors == [
        {"message": "Internal error", "extensions": {"code": "INTERNAL", "requestId": "trip-9"}}
    ]
    assert len(faults) == 1


@pytest.mark.parametrize("begun", [True, False])
async def test_closing_a_stream_closes_what_is_inside(begun: bool) -> None:
    context: dict[str, Any] = {}
    engine = made(schema=make_schema(Seen))
    prepared = await engine.prepare(Asked(query="subscription { count(to: 9) }"))
    stream = await engine.subscribe(prepared, context)
    if begun:
        assert (await anext(stream)).data == {"count": 1}
    await stream.aclose()
    assert context["seen"] == ["began", "ended" if begun else "failed"]
    assert context.get("closed", False) == begun


async def test_a_stream_that_cannot_be_made_is_refused() -> None:
    engine = made()
    # Validation lets pass what only the execution finds out.
    prepared = await engine.prepare(Asked(query="subscription ($to: Int!) { count(to: $to) }", variables={"to": 1}))
    broken = replace(prepared, operation=(await engine.prepare(Asked(query="{ hello }"))).operation)
    with pytest.raises(RequestRefused):
        await engine.subscribe(broken, {})
