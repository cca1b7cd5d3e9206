"""What a caller can do wrong, and what Jetway can fail at, as types with stable codes.

A `DomainError` is said to the client word for word; it changes nothing, because it ends the transaction in which it
was raised. Any other exception is Jetway's own fault: it is masked, logged with the request id and counted.
"""

from __future__ import annotations

from typing import ClassVar


class DomainError(Exception):
    """A refusal. `code` is stable (clients branch on it); `message` is a sentence for a person."""

    default_code: ClassVar[str]

    def __init__(self, message: str, *, code: str | None = None) -> None:
        super().__init__(message)
        self.message = message
        self.code = code or self.default_code


class Invalid(DomainError):
    """What was sent cannot be meant: `field` names the input field, in the client's spelling, where there is one."""

    default_code = "INVALID_INPUT"

    def __init__(self, message: str, *, field: str | None = None, code: str | None = None) -> None:
        super().__init__(message, code=code)
        self.field = field


class NotFound(DomainError):
    """There is no such thing, or none that the caller may know of: the two are never told apart."""

    default_code = "NOT_FOUND"


class Forbidden(DomainError):
    """The caller is known, and may not do this."""

    default_code = "FORBIDDEN"


class Unauthenticated(Forbidden):
    """The credentials presented are wrong, expired or revoked."""

    default_code = "UNAUTHENTICATED"


class Conflict(DomainError):
    """The thing is in another state than the request assumes."""

    default_code = "CONFLICT"


class RateLimited(DomainError):
    """Too many; may be asked again after `retry_after` seconds."""

    default_code = "RATE_LIMITED"

    def __init__(self, message: str, *, retry_after: int) -> None:
        super().__init__(message)
        self.retry_after = retry_after


class Unavailable(DomainError):
    """Something Jetway needs does not answer; asked again in `retry_after` seconds it may."""

    default_code = "UNAVAILABLE"

    def __init__(self, message: str, *, retry_after: int = 1) -> None:
        super().__init__(message)
        self.retry_after = retry_after
