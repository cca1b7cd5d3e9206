"""The straight way: an operation of one root field that is awaited and whose value is compiled whole, as mutations are.

graphql-core's own way there (collecting the fields, executing them in turn, completing what was awaited) is always the
same for such an operation, and takes longer than the compiled value. Everything that goes wrong is graphql-core's.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from graphql import ExecutionResult, GraphQLError
from graphql.execution.collect_fields import collect_fields
from graphql.execution.values import get_argument_values
from graphql.pyutils import Path

from engine.execution import trust
from engine.execution.calling import calling
from engine.execution.plans import Root

if TYPE_CHECKING:
    from engine.execution.executor import CompilingExecutor


def root_of(executor: CompilingExecutor) -> Root | None:
    """The root field of an operation that may go the straight way; None for any other."""
    operation, schema = executor.operation, executor.schema
    parent = schema.get_root_type(operation.operation)
    if parent is None:
        return None
    try:
        fields, deferred, _ = collect_fields(
            schema, executor.fragments, executor.variable_values, parent, operation, executor.hide_suggestions
        )
    except (GraphQLError, RecursionError):
        return None
    if len(fields) != 1 or deferred:
        return None
    ((key, details),) = fields.items()
    field = parent.fields.get(details[0].node.name.value)
    if field is None or not trust.is_code(field.resolve, trust.ASYNC_RESOLVER):
        return None
    plan = executor.value_plan(parent, field.type, details)
    return None if plan is None else Root(key, details, parent, field, plan, calling(field, schema))


async def straight(executor: CompilingExecutor, root: Root) -> ExecutionResult:
    """The result of the operation."""
    field, details, first = root.field, root.details, root.details[0]
    path = Path(None, root.key, root.parent.name)
    info = executor.build_resolve_info(field, [detail.node for detail in details], root.parent, path)
    try:
        try:
            given: dict[str, Any] = {}
            if field.args:
                variables, own = executor.variable_values, first.fragment_variable_values
                given = get_argument_values(field, first.node, variables, own, executor.hide_suggestions)
            value = await root.resolve(executor.root_value, info, **given)
        except Exception as error:  # noqa: BLE001 - graphql-core tells it
            executor.handle_field_error(error, field.type, details, path)
            return told(executor, {root.key: None})
        try:
            answer = executor.compiled(root.plan, value, path)
            if executor.is_awaitable(answer):
                answer = await answer
        except Exception:  # noqa: BLE001 - graphql-core meets it again, and tells it
            answer = await executor.complete_awaitable_value(field.type, details, info, path, known(value), None)
    except GraphQLError as error:
        executor.collected_errors.add(error, None)
        return told(executor, None)
    return told(executor, {root.key: answer})


def told(executor: CompilingExecutor, data: dict[str, Any] | None) -> ExecutionResult:
    """The data with the errors so far."""
    return ExecutionResult(data, executor.collected_errors.errors or None)


async def known(value: Any) -> Any:
    """A value that was awaited, as something to await."""
    return value
