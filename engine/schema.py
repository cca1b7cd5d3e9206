"""Strawberry's schema with the rules that the transports rely on.

Give `Schema` these extensions: `limited(tokens)` bounds documents before they are parsed, `observed(report)` tells of
every operation, and `OneOperation` refuses to guess which of several is meant.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from typing import Any

import strawberry
from graphql import (
    DocumentNode,
    FieldNode,
    GraphQLError,
    OperationDefinitionNode,
    OperationType,
    ValidationRule,
    get_operation_ast,
)
from strawberry.extensions import MaxTokensLimiter, SchemaExtension
from strawberry.types import ExecutionContext

Report = Callable[[str, str, float | None], None]
"""Called with `<type>.<root field>`, `ok`, `error` or `invalid`, and the seconds (None for a subscription)."""

MAX_TOKENS = 2_000


class Schema(strawberry.Schema):
    """A schema whose errors are logged by the transport, which knows a refusal from a fault."""

    def process_errors(self, errors: list[GraphQLError], execution_context: ExecutionContext | None = None) -> None:
        """Log nothing: `engine.errors.Errors` decides what is worth a line."""


def limited(max_tokens: int = MAX_TOKENS) -> Callable[[], SchemaExtension]:
    """An extension that refuses documents of more tokens before they are parsed."""
    return lambda: MaxTokensLimiter(max_token_count=max_tokens)


class NameTheOperation(ValidationRule):
    """A document of several operations needs an operationName (GraphQL, section 6.1)."""

    def enter_document(self, node: DocumentNode, *_: Any) -> None:
        """Report it; only documents where the name is missing come here."""
        self.report_error(GraphQLError("The document has several operations: send operationName.", node))


class OneOperation(SchemaExtension):
    """Refuses a document of several operations of which none is named."""

    def on_validate(self) -> Iterator[None]:
        """Add the rule where it applies; the library would run the first operation."""
        context = self.execution_context
        document = context.graphql_document
        # get_operation_ast finds nothing where there are several and no name.
        if document is not None and get_operation_ast(document, context._provided_operation_name) is None:
            context.validation_rules = (*context.validation_rules, NameTheOperation)
        yield


def observed(report: Report) -> type[SchemaExtension]:
    """An extension that reports every operation once it has ended."""

    class Observed(SchemaExtension):
        def on_operation(self) -> Iterator[None]:
            began = time.perf_counter()
            yield
            context = self.execution_context
            lasts = is_subscription(context)
            report(*summary(context), None if lasts else time.perf_counter() - began)

    return Observed


def summary(context: ExecutionContext) -> tuple[str, str]:
    """The operation's root field and how it ended. Both come from the schema, so their number is bounded."""
    operation = valid_operation(context)
    if operation is None or context.result is None:
        return "none", "invalid"
    fields = [node.name.value for node in operation.selection_set.selections if isinstance(node, FieldNode)]
    only = fields[0] if len(operation.selection_set.selections) == len(fields) == 1 else "several"
    return f"{operation.operation.value}.{only}", "error" if context.result.errors else "ok"


def valid_operation(context: ExecutionContext) -> OperationDefinitionNode | None:
    """The operation that was executed; None where the document was refused before that."""
    if context.graphql_document is None:
        return None
    return get_operation_ast(context.graphql_document, context._provided_operation_name)


def is_subscription(context: ExecutionContext) -> bool:
    """Whether it is one that lasts."""
    operation = valid_operation(context)
    return operation is not None and operation.operation is OperationType.SUBSCRIPTION
