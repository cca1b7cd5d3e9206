"""What a client is told of an error: its own mistakes in full, ours not at all.

Every error that leaves has `extensions.code`. What a refusal says is known to the application alone: `describe` turns
an exception into its message and extensions, or into None, which makes it a fault: masked, and given to `unexpected`
to be logged and counted.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from graphql import GraphQLError, GraphQLSyntaxError
from strawberry.schema.exceptions import CannotGetOperationTypeError, InvalidOperationTypeError

PARSE_FAILED = "GRAPHQL_PARSE_FAILED"
VALIDATION_FAILED = "GRAPHQL_VALIDATION_FAILED"
BAD_REQUEST = "BAD_REQUEST"
INTERNAL = "INTERNAL"
OPERATION_NOT_ALLOWED = "OPERATION_NOT_ALLOWED"
INTROSPECTION_DISABLED = "INTROSPECTION_DISABLED"
TIMEOUT = "TIMEOUT"
BUDGET_EXCEEDED = "BUDGET_EXCEEDED"
PERSISTED_QUERY_NOT_FOUND = "PERSISTED_QUERY_NOT_FOUND"
PERSISTED_QUERY_NOT_SUPPORTED = "PERSISTED_QUERY_NOT_SUPPORTED"
PERSISTED_QUERY_HASH_MISMATCH = "PERSISTED_QUERY_HASH_MISMATCH"
DOCUMENT_NOT_FOUND = "DOCUMENT_NOT_FOUND"
DOCUMENT_NOT_PERSISTED = "DOCUMENT_NOT_PERSISTED"
DOCUMENT_NOT_TRUSTED = "DOCUMENT_NOT_TRUSTED"
UNAVAILABLE = "UNAVAILABLE"

NOT_TO_BE_KEPT = {"Cache-Control": "no-store"}
"""With refusals that another moment may not give."""

Description = tuple[str, dict[str, Any]]
Describe = Callable[[BaseException], Description | None]
Unexpected = Callable[[BaseException], None]


class Refused(Exception):
    """The connection itself is refused, before anything is executed: an HTTP status, a message and its extensions."""

    def __init__(self, status: int, message: str, extensions: dict[str, Any]) -> None:
        super().__init__(message)
        self.status = status
        self.message = message
        self.extensions = extensions


class Refusal(Exception):
    """The operation is refused before anything is executed: with errors that are not told yet, and a status of HTTP."""

    def __init__(
        self, errors: Sequence[GraphQLError], status: int = 400, headers: Mapping[str, str] | None = None
    ) -> None:
        super().__init__(errors[0].message)
        self.errors = list(errors)
        self.status = status
        self.headers = headers or {}


@dataclass(frozen=True)
class Errors:
    """The rules by which errors are told."""

    describe: Describe
    unexpected: Unexpected

    def told(self, errors: Sequence[GraphQLError], request_id: str) -> list[GraphQLError]:
        """The errors as the client may read them, in order."""
        return [self.tell(error, request_id) for error in errors]

    def tell(self, error: GraphQLError, request_id: str) -> GraphQLError:
        """One error as the client may read it."""
        cause = root_cause(error)
        if isinstance(error, GraphQLSyntaxError):
            return retold(error, error.message, {"code": PARSE_FAILED})
        if error.path is None and isinstance(cause, RecursionError):
            return retold(error, "The document is nested too deeply.", {"code": PARSE_FAILED})
        if is_request_error(error, cause):
            return retold(error, error.message, {"code": VALIDATION_FAILED, **(error.extensions or {})})
        if cause is None:
            return retold(error, error.message, {"code": VALIDATION_FAILED, **(error.extensions or {})})
        described = self.describe(cause)
        if described is None:
            self.unexpected(cause)
            described = internal(request_id)
        return retold(error, *described)


def root_cause(error: GraphQLError) -> BaseException | None:
    """The exception below all GraphQL errors; None where there are only GraphQL errors."""
    cause: BaseException | None = error
    while isinstance(cause, GraphQLError):
        cause = cause.original_error
    return cause


def is_request_error(error: GraphQLError, cause: BaseException | None) -> bool:
    """Whether the document, its variables or the operation's name are wrong, rather than something while executing.

    Those errors have no path: nothing was executed yet. An exception of ours from outside any field has neither a path
    nor a place in the document.
    """
    if isinstance(cause, CannotGetOperationTypeError | InvalidOperationTypeError):
        return True
    return error.path is None and (cause is None or bool(error.nodes))


def internal(request_id: str) -> Description:
    """What is said of a fault of ours: enough to find it in the log."""
    return "Internal error", {"code": INTERNAL, "requestId": request_id}


def retold(error: GraphQLError, message: str, extensions: dict[str, Any]) -> GraphQLError:
    """The same error, at the same place, in these words."""
    return GraphQLError(
        message,
        nodes=error.nodes,
        source=error.source,
        positions=error.positions,
        path=error.path,
        extensions=extensions,
    )


def refusal(
    message: str, code: str, status: int = 400, headers: Mapping[str, str] | None = None, **extensions: Any
) -> Refusal:
    """A refusal with one error."""
    return Refusal([GraphQLError(message, extensions={"code": code, **extensions})], status, headers)


def body(message: str, extensions: dict[str, Any]) -> dict[str, Any]:
    """A whole response for a request of which nothing was executed."""
    return {"errors": [{"message": message, "extensions": extensions}]}
