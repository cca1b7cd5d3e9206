"""One operation under way: its executor, the extensions of the schema around it, and its time."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Coroutine
from contextlib import AsyncExitStack
from typing import TYPE_CHECKING, Any, TypeVar, cast

import strawberry
from graphql import ExecutionResult, GraphQLError
from graphql.execution import MiddlewareManager, default_field_resolver, default_type_resolver
from strawberry.execution import optimized_is_awaitable
from strawberry.extensions import SchemaExtension
from strawberry.extensions.runner import SchemaExtensionsRunner
from strawberry.schema.schema import StrawberryGraphQLCoreExecutionContext
from strawberry.types import ExecutionContext

from engine.errors import TIMEOUT

if TYPE_CHECKING:
    from engine.operations import Prepared

T = TypeVar("T")

TOO_LONG = "The operation took longer than {seconds:g} seconds."
UNKNOWN = " It was not stopped, and its outcome is unknown: ask again with the same idempotency key, or look."


class Clock:
    """Lets nothing take longer than `seconds`."""

    def __init__(self, seconds: float) -> None:
        self.seconds = seconds
        self.left: set[asyncio.Task[ExecutionResult]] = set()
        """Mutations that nobody waits for any more."""

    async def within(self, awaitable: Awaitable[T]) -> T | ExecutionResult:
        """What it gives, or the result that says that it was stopped."""
        try:
            async with asyncio.timeout(self.seconds) as timeout:
                return await awaitable
        except TimeoutError:
            if not timeout.expired():
                raise
            return ExecutionResult(None, [self._too_long(TOO_LONG)])

    async def unbroken(
        self, coroutine: Coroutine[Any, Any, ExecutionResult], late: Callable[[ExecutionResult], None]
    ) -> ExecutionResult:
        """What it gives, or the result that says that its outcome is unknown; it is never stopped on the way.

        `late` gets what comes when nobody waits for it any more.
        """
        task = asyncio.create_task(coroutine)
        loop = asyncio.get_running_loop()
        over: asyncio.Future[None] = loop.create_future()

        def end(_: object = None) -> None:
            if not over.done():
                over.set_result(None)

        # What `asyncio.wait` does, for one task and at a third of its price.
        timer = loop.call_later(self.seconds, end)
        task.add_done_callback(end)
        try:
            await over
        finally:
            timer.cancel()
            if not task.done():
                self.left.add(task)
                task.add_done_callback(lambda done: self._ended(done, late))
        if task.done():
            return task.result()
        return ExecutionResult(None, [self._too_long(TOO_LONG + UNKNOWN, outcome="UNKNOWN")])

    async def aclose(self, seconds: float) -> None:
        """Wait for what was left, and stop what is not ready then."""
        left = set(self.left)
        if left:
            _, pending = await asyncio.wait(left, timeout=seconds)
            for task in pending:
                task.cancel()
            await asyncio.gather(*pending, return_exceptions=True)

    def _ended(self, task: asyncio.Task[ExecutionResult], late: Callable[[ExecutionResult], None]) -> None:
        self.left.discard(task)
        if not task.cancelled():
            late(task.result())

    def _too_long(self, message: str, **extensions: Any) -> GraphQLError:
        told = {"code": TIMEOUT, "limit": self.seconds, **extensions}
        return GraphQLError(message.format(seconds=self.seconds), extensions=told)


class Run:
    """One operation under way."""

    def __init__(
        self,
        schema: strawberry.Schema,
        executor_class: type[StrawberryGraphQLCoreExecutionContext],
        prepared: Prepared,
        context: Any,
        hides_suggestions: bool,
    ) -> None:
        self.schema = schema
        self.executor_class = executor_class
        self.prepared = prepared
        self.context = context
        self.hides_suggestions = hides_suggestions
        self.extensions: list[SchemaExtension] = schema.get_extensions()
        self.execution = self._execution() if self.extensions else None

    def _execution(self) -> ExecutionContext:
        """What Strawberry's extensions are told of the operation."""
        asked = self.prepared.asked
        execution = ExecutionContext(
            query=self.prepared.known.text,
            schema=self.schema,
            allowed_operations=(),
            context=self.context,
            variables=dict(asked.variables or {}),
            provided_operation_name=asked.operation_name,
            graphql_document=self.prepared.document,
            operation_extensions=dict(asked.extensions or {}),
        )
        for extension in self.extensions:
            extension.execution_context = execution
        return execution

    def hooks(self, name: str) -> Any:
        """The extensions' hooks of this name, as an asynchronous context manager."""
        if self.execution is None:
            return AsyncExitStack()
        return getattr(SchemaExtensionsRunner(self.execution, self.extensions), name)()

    async def executed(self, clock: Clock | None = None) -> ExecutionResult:
        """The result, whatever happens; stopped by the clock, where there is one."""
        try:
            if self.execution is None:
                return await self._result(clock)
            async with self.hooks("operation"):
                async with self.hooks("executing"):
                    result = await self._result(clock)
                    self.record(result)
                return result
        except Exception as error:  # noqa: BLE001 - the last place where a fault becomes an answer
            return failed(error)

    async def _result(self, clock: Clock | None) -> ExecutionResult:
        result: Any = self.executor().execute_operation()
        if optimized_is_awaitable(result):
            result = await (result if clock is None else clock.within(result))
        return cast("ExecutionResult", result)

    def executor(self) -> StrawberryGraphQLCoreExecutionContext:
        """A fresh executor for the operation."""
        prepared = self.prepared
        known = prepared.known
        more = {} if known.plans is None else {"plans": known.plans}
        return self.executor_class(
            self.schema._schema,
            known.definitions,
            known.fragments,
            None,
            self.context,
            prepared.operation,
            prepared.variables,
            default_field_resolver,
            default_type_resolver,
            default_field_resolver,
            middleware_manager=self._middleware(),
            is_awaitable=optimized_is_awaitable,
            hide_suggestions=self.hides_suggestions,
            operation_extensions=prepared.asked.extensions,
            **more,
        )

    def _middleware(self) -> MiddlewareManager | None:
        """What stands around every resolver; None where no extension does."""
        if not any(extension._implements_resolve() for extension in self.extensions):
            return None
        return self.schema._get_middleware_manager(self.extensions)

    def record(self, result: ExecutionResult) -> None:
        """Let the extensions see the result."""
        if self.execution is not None:
            self.execution.result = result

    async def results_of_extensions(self, result: ExecutionResult) -> dict[str, Any]:
        """What the extensions add to the answer."""
        if self.execution is None:
            return {}
        self.record(result)
        return await SchemaExtensionsRunner(self.execution, self.extensions).get_extensions_results(self.execution)


def failed(error: Exception) -> ExecutionResult:
    """The result of an operation that an exception ended as a whole."""
    if isinstance(error, GraphQLError):
        return ExecutionResult(None, [error])
    return ExecutionResult(None, [GraphQLError(str(error), original_error=error)])
