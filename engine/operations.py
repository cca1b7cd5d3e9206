"""The engine's face: what a transport asks of it, and what it is given back.

A transport decodes a request into `Asked`, has it prepared (the document found, parsed, validated and held against the
limits; the variables coerced) and then executed or subscribed to. Whatever is wrong before anything is executed is
raised as RequestRefused, its errors already in the words that the client may read.
"""

from __future__ import annotations

import time
from collections.abc import AsyncGenerator, AsyncIterable, Awaitable, Callable, Mapping, Sequence
from contextlib import AsyncExitStack, aclosing
from dataclasses import dataclass, field
from hashlib import sha256
from typing import Any, cast

import orjson
import strawberry
from graphql import (
    DocumentNode,
    ExecutionResult,
    FieldNode,
    GraphQLError,
    OperationDefinitionNode,
    OperationType,
    get_operation_ast,
    parse,
)
from graphql.execution import (
    Executor,
    MiddlewareManager,
    create_source_event_stream,
    default_field_resolver,
    default_type_resolver,
    get_variable_values,
    map_source_to_response_event,
)
from graphql.execution.values import VariableValues
from strawberry.execution import optimized_is_awaitable
from strawberry.extensions import SchemaExtension
from strawberry.extensions.runner import SchemaExtensionsRunner
from strawberry.schema.schema import validate_document
from strawberry.types import ExecutionContext

from engine.documents.policies import Policy
from engine.errors import BAD_REQUEST, INTERNAL, Errors

Report = Callable[[str, str, float | None], None]
"""Called with `<type>.<root field>`, `ok`, `error` or `invalid`, and the seconds (None for a subscription)."""

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


@dataclass(frozen=True)
class Prepared:
    """An operation ready to run: its document is valid and within the limits, its variables are coerced."""

    document: DocumentNode
    operation: OperationDefinitionNode
    kind: OperationType
    variables: VariableValues
    cost: int
    sha256: str
    persisted: bool
    asked: Asked


@dataclass(frozen=True)
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

    Errors are told by `errors`; every operation is reported to each of `observers` when it has ended. Extensions of
    the Strawberry schema run around the execution; parsing and validation are the engine's, so their hooks do not.
    """

    def __init__(
        self,
        schema: strawberry.Schema,
        *,
        errors: Errors,
        executor: type[Executor[Any]] | None = None,
        observers: Sequence[Report] = (),
    ) -> None:
        if schema.config.enable_experimental_incremental_execution:
            raise ValueError("The engine does not deliver results incrementally.")
        self.schema = schema
        self.errors = errors
        self.executor = executor or schema.execution_context_class
        self.observers = tuple(observers)

    async def prepare(
        self,
        asked: Asked,
        *,
        client: str | None = None,
        policy: Policy = Policy.ANYTHING,
        allowed: frozenset[OperationType] = EVERY_KIND,
    ) -> Prepared:
        """The operation asked for, ready to run. Raises RequestRefused."""
        try:
            return self._prepared(asked, allowed)
        except RequestRefused:
            self._observe("none", "invalid", None)
            raise

    async def execute(self, prepared: Prepared, context: Any, *, request_id: str = "") -> Answer:
        """The answer to a query or a mutation. Raises nothing: what goes wrong is told in the answer."""
        began = time.perf_counter()
        run = Run(self, prepared, context)
        try:
            async with run.hooks("operation"), run.hooks("executing"):
                result: Any = run.executor().execute_operation()
                if optimized_is_awaitable(result):
                    result = await result
                run.record(result)
        except Exception as error:  # noqa: BLE001 - the last place where a fault becomes an answer
            result = failed(error)
        answer = await run.answer(result, request_id)
        self._observe(name_of(prepared.operation), "error" if answer.errors else "ok", time.perf_counter() - began)
        return answer

    async def subscribe(
        self, prepared: Prepared, context: Any, *, request_id: str = ""
    ) -> AsyncGenerator[Answer, None]:
        """The answers of a subscription, one for each event. Raises RequestRefused where there is no stream."""
        run = Run(self, prepared, context)
        stack = AsyncExitStack()
        await stack.enter_async_context(run.hooks("operation"))
        executor = run.executor()
        try:
            async with run.hooks("executing"):
                source = create_source_event_stream(executor)
                if optimized_is_awaitable(source):
                    source = await cast("Awaitable[Any]", source)
        except Exception as error:  # noqa: BLE001 - the last place where a fault becomes an answer
            source = failed(error)
        if isinstance(source, ExecutionResult):
            answer = await run.answer(source, request_id)
            await stack.aclose()
            self._observe(name_of(prepared.operation), "error", None)
            raise RequestRefused(answer.errors or [], status_of(answer.errors or []))
        return self._answers(run, executor, cast("AsyncIterable[Any]", source), stack, request_id)

    async def _answers(
        self, run: Run, executor: Executor[Any], source: AsyncIterable[Any], stack: AsyncExitStack, request_id: str
    ) -> AsyncGenerator[Answer, None]:
        outcome = "ok"
        try:
            async with stack, aclosing(map_source_to_response_event(executor, source)) as results:
                async for result in results:
                    answer = await run.answer(result, request_id)
                    outcome = "error" if answer.errors else outcome
                    yield answer
        except Exception as error:  # noqa: BLE001 - the last place where a fault becomes an answer
            outcome = "error"
            yield await run.answer(failed(error), request_id)
        finally:
            self._observe(name_of(run.prepared.operation), outcome, None)

    def tell(self, errors: Sequence[GraphQLError], request_id: str = "") -> list[dict[str, Any]]:
        """The errors as the client may read them, ready for JSON."""
        return [cast("dict[str, Any]", error.formatted) for error in self.errors.told(errors, request_id)]

    def _prepared(self, asked: Asked, allowed: frozenset[OperationType]) -> Prepared:
        if not asked.query or not asked.query.strip():
            raise refused("The request has no document.", BAD_REQUEST)
        document = self._valid(asked.query)
        operation = self._operation(document, asked.operation_name, allowed)
        variables = get_variable_values(
            self.schema._schema, operation.variable_definitions or (), dict(asked.variables or {})
        )
        if isinstance(variables, list):
            raise RequestRefused(self.tell(variables))
        return Prepared(
            document=document,
            operation=operation,
            kind=operation.operation,
            variables=variables,
            cost=0,
            sha256=sha256(asked.query.encode()).hexdigest(),
            persisted=False,
            asked=asked,
        )

    def _valid(self, text: str) -> DocumentNode:
        try:
            document = parse(text, max_tokens=2_000)
            rules = ExecutionContext(query=text, schema=self.schema, allowed_operations=()).validation_rules
            problems = validate_document(self.schema._schema, document, rules)
        except RecursionError as error:
            problems = [GraphQLError(str(error), original_error=error)]
        except GraphQLError as error:
            problems = [error]
        if problems:
            raise RequestRefused(self.tell(problems))
        return document

    def _operation(
        self, document: DocumentNode, name: str | None, allowed: frozenset[OperationType]
    ) -> OperationDefinitionNode:
        operation = get_operation_ast(document, name)
        if operation is None:
            raise refused(f"The document has no operation {name!r}." if name else "Send operationName.", BAD_REQUEST)
        if operation.operation not in allowed:
            raise refused(f"A {operation.operation.value} is not accepted here.", "OPERATION_NOT_ALLOWED", status=405)
        return operation

    def _observe(self, operation: str, outcome: str, seconds: float | None) -> None:
        for observe in self.observers:
            observe(operation, outcome, seconds)


@dataclass
class Run:
    """One operation under way: its executor and the extensions of the schema around it."""

    engine: Engine
    prepared: Prepared
    context: Any
    extensions: list[SchemaExtension] = field(init=False)
    execution: ExecutionContext | None = field(init=False, default=None)

    def __post_init__(self) -> None:
        self.extensions = self.engine.schema.get_extensions()
        if not self.extensions:
            return
        asked = self.prepared.asked
        self.execution = ExecutionContext(
            query=asked.query,
            schema=self.engine.schema,
            allowed_operations=(),
            context=self.context,
            variables=dict(asked.variables or {}),
            provided_operation_name=asked.operation_name,
            graphql_document=self.prepared.document,
            operation_extensions=dict(asked.extensions or {}),
        )
        for extension in self.extensions:
            extension.execution_context = self.execution

    def hooks(self, name: str) -> Any:
        """The extensions' hooks of this name, as an asynchronous context manager."""
        if self.execution is None:
            return AsyncExitStack()
        return getattr(SchemaExtensionsRunner(self.execution, self.extensions), name)()

    def executor(self) -> Executor[Any]:
        """A fresh executor for the operation."""
        schema = self.engine.schema
        middleware = schema._get_middleware_manager(self.extensions) if self.extensions else MiddlewareManager()
        executor = self.engine.executor.build(
            schema._schema,
            self.prepared.document,
            None,
            self.context,
            dict(self.prepared.asked.variables or {}),
            self.prepared.asked.operation_name,
            default_field_resolver,
            default_type_resolver,
            default_field_resolver,
            middleware=middleware,
            is_awaitable=cast("Any", optimized_is_awaitable),
            operation_extensions=self.prepared.asked.extensions,
        )
        return cast("Executor[Any]", executor)

    def record(self, result: ExecutionResult) -> None:
        """Let the extensions see the result."""
        if self.execution is not None:
            self.execution.result = result

    async def answer(self, result: ExecutionResult, request_id: str) -> Answer:
        """The result as it is told."""
        self.record(result)
        extensions: Mapping[str, Any] | None = None
        if self.execution is not None:
            runner = SchemaExtensionsRunner(self.execution, self.extensions)
            extensions = await runner.get_extensions_results(self.execution)
        errors = self.engine.tell(result.errors, request_id) if result.errors else None
        return Answer(result.data, errors, extensions or None)


def refused(message: str, code: str, status: int = 400, **extensions: Any) -> RequestRefused:
    """A refusal with one error."""
    return RequestRefused([{"message": message, "extensions": {"code": code, **extensions}}], status)


def failed(error: Exception) -> ExecutionResult:
    """The result of an operation that an exception ended as a whole."""
    if isinstance(error, GraphQLError):
        return ExecutionResult(None, [error])
    return ExecutionResult(None, [GraphQLError(str(error), original_error=error)])


def status_of(errors: Sequence[Mapping[str, Any]]) -> int:
    """500 where a fault is among the errors, otherwise 400."""
    return 500 if any(error["extensions"]["code"] == INTERNAL for error in errors) else 400


def name_of(operation: OperationDefinitionNode) -> str:
    """`<type>.<root field>`, or `<type>.several`: names of the schema, so that their number is bounded."""
    selections = operation.selection_set.selections
    only = selections[0] if len(selections) == 1 else None
    name = only.name.value if isinstance(only, FieldNode) else "several"
    return f"{operation.operation.value}.{name}"
