"""The engine's face: what a transport asks of it, and what it is given back.

A transport decodes a request into `Asked`, has it prepared (the document found, parsed, validated and held against the
limits; the variables coerced) and then executed or subscribed to. Whatever is wrong before anything is executed is
raised as RequestRefused, its errors already in the words that the client may read.
"""

from __future__ import annotations

import time
from collections.abc import AsyncGenerator, AsyncIterator, Callable, Mapping, Sequence
from contextlib import AsyncExitStack, aclosing
from dataclasses import dataclass
from typing import Any, NamedTuple, Protocol, cast

import orjson
import strawberry
from graphql import DocumentNode, ExecutionResult, FieldNode, GraphQLError, OperationDefinitionNode, OperationType
from graphql.execution import Executor, create_source_event_stream, get_variable_values, map_source_to_response_event
from graphql.execution.values import VariableValues
from strawberry.execution import optimized_is_awaitable
from strawberry.schema.schema import StrawberryGraphQLCoreExecutionContext

from engine.documents import Documents, MemoryStore, Policy, Reading
from engine.documents.known import Known
from engine.documents.validation import MOST_ERRORS
from engine.errors import (
    BUDGET_EXCEEDED,
    INTERNAL,
    NOT_TO_BE_KEPT,
    OPERATION_NOT_ALLOWED,
    Errors,
    Refusal,
    refusal,
)
from engine.limits import Limits
from engine.limits.settings import LARGEST_TOLD, exceeded
from engine.limits.values import check_values
from engine.running import Clock, Run, failed

Report = Callable[[str, str, float | None], None]
"""Called with `<type>.<root field>`, `ok`, `error` or `invalid`, and the seconds (None for a
subscription, and for what was not executed)."""

EVERY_KIND = frozenset(OperationType)


@dataclass(frozen=True, kw_only=True)
class Asked:
    """What a client asks, decoded and of the right shapes, whatever the transport."""

    query: str | None = None
    document_id: str | None = None
    """`documentId`; a hash of Apollo's protocol stands in `extensions`."""
    variables: Mapping[str, Any] | None = None
    operation_name: str | None = None
    extensions: Mapping[str, Any] | None = None


class RequestRefused(Exception):
    """Nothing was executed. `errors` as they are told; `status` for HTTP with application/graphql-response+json."""

    def __init__(
        self, errors: list[dict[str, Any]], status: int = 400, headers: Mapping[str, str] | None = None
    ) -> None:
        super().__init__(errors[0]["message"])
        self.errors = errors
        self.status = status
        self.headers = headers or {}


class Spent(NamedTuple):
    """What a budget says of an operation's cost."""

    is_allowed: bool
    remaining: int
    retry_after: int | None = None
    """Seconds, where it is not allowed."""


class Budget(Protocol):
    """What a client's operations may cost over time."""

    async def spend(self, client: str | None, cost: int) -> Spent:
        """Take the cost from the client's budget, where it is left."""


@dataclass(frozen=True, slots=True)
class Prepared:
    """An operation ready to run: its document is valid and within the limits, its variables are coerced."""

    known: Known
    """The document as it is kept, with what was made of it."""
    operation: OperationDefinitionNode
    kind: OperationType
    variables: VariableValues
    cost: int
    persisted: bool
    """Whether the document was named by a hash or an id."""
    asked: Asked
    remaining: int | None = None
    """What is left of the client's budget, where there is one."""

    @property
    def document(self) -> DocumentNode:
        """The document."""
        return self.known.document

    @property
    def sha256(self) -> str:
        """The SHA-256 of the document's text, in hex."""
        return self.known.sha256


@dataclass(frozen=True, slots=True)
class Answer:
    """The result of an operation, or of one event of a subscription; its errors as they are told."""

    data: Any
    errors: list[dict[str, Any]] | None = None
    extensions: Mapping[str, Any] | None = None

    def body(self) -> dict[str, Any]:
        """The response as a map (GraphQL, section 7.1): errors first, as the specification recommends."""
        body: dict[str, Any] = {"errors": self.errors} if self.errors else {}
        body["data"] = self.data
        if self.extensions:
            body["extensions"] = self.extensions
        return body

    def encode(self) -> bytes:
        """The response as JSON in UTF-8."""
        return orjson.dumps(self.body())


class Engine:
    """Runs operations on one schema.

    Errors are told by `errors`; every operation is reported to each of `observers` when it has ended. `documents` says
    which documents are accepted and what limits they have; without it, all within `limits`, and persisted ones are
    kept in this process. `executor` runs operations; it gets what stands in `Known.plans` as `plans`, where that is
    anything. `tells_cost` puts `extensions.cost` into answers: what was requested, the limit, and what remains of a
    budget.

    Extensions of the Strawberry schema run around the execution (`on_operation`, `on_execute`, `resolve`,
    `get_results`). Parsing and validation are the engine's, so those hooks are not called.
    """

    def __init__(
        self,
        schema: strawberry.Schema,
        *,
        errors: Errors,
        documents: Documents | None = None,
        limits: Limits | None = None,
        executor: type[StrawberryGraphQLCoreExecutionContext] | None = None,
        observers: Sequence[Report] = (),
        budget: Budget | None = None,
        tells_cost: bool = False,
    ) -> None:
        if schema.config.enable_experimental_incremental_execution:
            raise ValueError("The engine does not deliver results incrementally.")
        if documents is not None and limits is not None:
            raise ValueError("The limits are those of the documents: give one of the two.")
        self.schema = schema
        self.errors = errors
        self.documents = documents or Documents(Reading(schema, limits or Limits()), store=MemoryStore())
        self.limits = self.documents.reading.limits
        self.hides_suggestions = not self.documents.reading.suggestions
        self.executor = executor or cast("type[StrawberryGraphQLCoreExecutionContext]", schema.execution_context_class)
        self.observers = tuple(observers)
        self.budget = budget
        self.tells_cost = tells_cost
        self.clock = Clock(self.limits.seconds)

    async def prepare(
        self,
        asked: Asked,
        *,
        client: str | None = None,
        policy: Policy = Policy.ANYTHING,
        allowed: frozenset[OperationType] = EVERY_KIND,
        request_id: str = "",
    ) -> Prepared:
        """The operation asked for, ready to run. Raises RequestRefused."""
        began = time.perf_counter()
        try:
            return await self._prepared(asked, client, policy, allowed)
        except Refusal as refused:
            problem = RequestRefused(self.tell(refused.errors, request_id), refused.status, refused.headers)
        except Exception as error:  # noqa: BLE001 - where documents or budgets are kept is away
            errors = self.tell([GraphQLError(str(error), original_error=error)], request_id)
            problem = RequestRefused(errors, status_of(errors, otherwise=503), NOT_TO_BE_KEPT)
        self._observe("none", "invalid", time.perf_counter() - began)
        raise problem

    async def execute(self, prepared: Prepared, context: Any, *, request_id: str = "") -> Answer:
        """The answer to a query or a mutation. Raises nothing: what goes wrong is told in the answer.

        A query that takes too long is stopped. A mutation never is, not even where the caller is cancelled: it goes on,
        and the client is told that its outcome is unknown.
        """
        began = time.perf_counter()
        run = self._run(prepared, context)
        if prepared.kind is OperationType.MUTATION:
            result = await self.clock.unbroken(run.executed(), lambda late: self._tell_late(late, request_id))
        else:
            result = await run.executed(self.clock)
        answer = await self._answer(run, result, request_id, tells_cost=self.tells_cost)
        self._observe(name_of(prepared.operation), "error" if answer.errors else "ok", time.perf_counter() - began)
        return answer

    async def subscribe(
        self, prepared: Prepared, context: Any, *, request_id: str = ""
    ) -> AsyncGenerator[Answer, None]:
        """The answers of a subscription, one for each event. Raises RequestRefused where there is no stream.

        Whoever has the stream closes it (`aclose`), also one that was never begun.
        """
        stream = self._answers(await self.open(prepared, context, request_id=request_id))
        await anext(stream)
        return cast("AsyncGenerator[Answer, None]", stream)

    async def open(self, prepared: Prepared, context: Any, *, request_id: str = "") -> Opened:
        """A subscription's source, whose events nobody has asked for yet. Raises RequestRefused where there is none.

        Whoever has it closes it (`aclose`).
        """
        run = self._run(prepared, context)
        stack = AsyncExitStack()
        await stack.enter_async_context(run.hooks("operation"))
        try:
            executor = run.executor()
            source = await self.clock.within(self._source(run, executor))
        except Exception as error:  # noqa: BLE001 - the last place where a fault becomes an answer
            source = failed(error)
        except BaseException:
            await stack.aclose()
            raise
        opened = Opened(self, run, executor, source, stack, request_id)
        if isinstance(source, ExecutionResult):
            answer = await opened.told(source)
            await opened.aclose()
            self.report(prepared, "error")
            errors = answer.errors or []
            raise RequestRefused(errors, status_of(errors, otherwise=400))
        return opened

    def report(self, prepared: Prepared, outcome: str) -> None:
        """Tell the observers that a subscription has ended."""
        self._observe(name_of(prepared.operation), outcome, None)

    async def aclose(self, seconds: float = 5.0) -> None:
        """Wait for mutations that were left to themselves, and stop what is not ready then."""
        await self.clock.aclose(seconds)

    def tell(self, errors: Sequence[GraphQLError], request_id: str = "") -> list[dict[str, Any]]:
        """The errors as the client may read them, ready for JSON."""
        return [cast("dict[str, Any]", error.formatted) for error in self.errors.told(errors, request_id)]

    async def _prepared(
        self, asked: Asked, client: str | None, policy: Policy, allowed: frozenset[OperationType]
    ) -> Prepared:
        known, is_persisted = await self.documents.find(asked, client, policy)
        operation = known.operation(asked.operation_name)
        if operation.operation not in allowed:
            kind = operation.operation.value
            raise refusal(f"A {kind} is not accepted here.", OPERATION_NOT_ALLOWED, 405, operation=kind)
        too_many = check_values(asked.variables, self.limits)
        if too_many is not None:
            raise Refusal([too_many])
        variables = known.variables_of(operation, self.schema._schema).values(
            asked.variables or {}
        ) or get_variable_values(
            self.schema._schema,
            operation.variable_definitions or (),
            cast("dict[str, Any]", asked.variables or {}),
            max_errors=MOST_ERRORS,
            hide_suggestions=self.hides_suggestions,
        )
        if isinstance(variables, list):
            raise Refusal(variables)
        cost = self._cost(known, operation, variables)
        remaining = None if self.budget is None else await self._spend(self.budget, client, cost)
        return Prepared(known, operation, operation.operation, variables, cost, is_persisted, asked, remaining)

    def _cost(self, known: Known, operation: OperationDefinitionNode, variables: VariableValues) -> int:
        """The operation's cost. Raises Refusal where it, or its breadth, is above the limit."""
        measure = known.formula(operation).measure(variables.coerced)
        for name, found in (("breadth", measure.breadth), ("cost", measure.cost)):
            too_large = exceeded(self.limits, name, found)
            if too_large is not None:
                raise Refusal([too_large])
        return measure.cost

    async def _spend(self, budget: Budget, client: str | None, cost: int) -> int:
        """What is left of the client's budget. Raises Refusal where that is not enough."""
        spent = await budget.spend(client, cost)
        if not spent.is_allowed:
            headers = NOT_TO_BE_KEPT if spent.retry_after is None else {"Retry-After": str(spent.retry_after)}
            raise refusal(
                "Your operations cost too much just now: try again later.",
                BUDGET_EXCEEDED,
                429,
                headers,
                requested=cost,
                remaining=spent.remaining,
                retryAfter=spent.retry_after,
            )
        return min(spent.remaining, LARGEST_TOLD)

    def _run(self, prepared: Prepared, context: Any) -> Run:
        return Run(self.schema, self.executor, prepared, context, self.hides_suggestions)

    async def _source(self, run: Run, executor: Executor[Any]) -> Any:
        """The stream of a subscription's events, or the result that says why there is none."""
        async with run.hooks("executing"):
            source: Any = create_source_event_stream(executor)
            return await source if optimized_is_awaitable(source) else source

    async def _event(self, executor: Executor[Any]) -> ExecutionResult:
        """The result for one event."""
        result: Any = executor.execute_operation(False)
        if optimized_is_awaitable(result):
            result = await self.clock.within(result)
        return cast("ExecutionResult", result)

    async def _answers(self, opened: Opened) -> AsyncGenerator[Answer | None, None]:
        """The answers, after one None: the caller takes that, so that closing the stream closes what is inside."""
        outcome = "ok"
        results = map_source_to_response_event(opened.executor, opened.source, self._event)
        try:
            async with aclosing(opened), aclosing(results):
                yield None
                async for result in told_of_faults(results):
                    answer = await opened.told(result)
                    outcome = "error" if answer.errors else outcome
                    yield answer
        finally:
            self.report(opened.run.prepared, outcome)

    async def _answer(self, run: Run, result: ExecutionResult, request_id: str, *, tells_cost: bool = False) -> Answer:
        """A result as it is told."""
        extensions = await run.results_of_extensions(result)
        if tells_cost:
            extensions = {**extensions, "cost": self._told_cost(run.prepared)}
        errors = self.tell(result.errors, request_id) if result.errors else None
        return Answer(result.data, errors, extensions or None)

    def _tell_late(self, result: ExecutionResult, request_id: str) -> None:
        """Have the faults logged of a mutation that nobody waits for any more."""
        self.errors.told(result.errors or (), request_id)

    def _told_cost(self, prepared: Prepared) -> dict[str, int]:
        told = {"requested": prepared.cost, "limit": self.limits.cost}
        return told if prepared.remaining is None else {**told, "remaining": prepared.remaining}

    def answered(self, operation: str) -> None:
        """Report an operation (`<type>.<root field>`) that was answered with what is kept, and not executed."""
        self._observe(operation, "ok", None)

    def _observe(self, operation: str, outcome: str, seconds: float | None) -> None:
        for observe in self.observers:
            observe(operation, outcome, seconds)


class Opened:
    """A subscription that has begun: `source` has its events, for whoever asks; each is executed by itself."""

    def __init__(
        self, engine: Engine, run: Run, executor: Executor[Any], source: Any, stack: AsyncExitStack, request_id: str
    ) -> None:
        self.run = run
        self.executor = executor
        self.source = source
        self._engine = engine
        self._stack = stack
        self._request_id = request_id

    async def answer(self, event: object) -> Answer:
        """The answer for an event of the source."""
        return await self.told(await self._engine._event(self.executor.build_per_event_executor(event)))

    async def told(self, result: ExecutionResult) -> Answer:
        """A result as it is told."""
        return await self._engine._answer(self.run, result, self._request_id)

    async def aclose(self) -> None:
        """End what the schema's extensions have around the operation. The source is closed by whoever reads it."""
        await self._stack.aclose()


async def told_of_faults(results: AsyncIterator[ExecutionResult]) -> AsyncIterator[ExecutionResult]:
    """The results, and one more for an exception that ends them."""
    try:
        async for result in results:
            yield result
    except Exception as error:  # noqa: BLE001 - the last place where a fault becomes an answer
        yield failed(error)


def status_of(errors: Sequence[Mapping[str, Any]], otherwise: int) -> int:
    """500 where a fault is among the errors."""
    return 500 if any(error["extensions"]["code"] == INTERNAL for error in errors) else otherwise


def name_of(operation: OperationDefinitionNode) -> str:
    """`<type>.<root field>`, or `<type>.several`: names of the schema, so that their number is bounded."""
    selections = operation.selection_set.selections
    only = selections[0] if len(selections) == 1 else None
    name = only.name.value if isinstance(only, FieldNode) else "several"
    return f"{operation.operation.value}.{name}"
