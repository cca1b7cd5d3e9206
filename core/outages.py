"""What it means that the database is away: it cannot be reached, it restarts, it did not answer in time."""

from __future__ import annotations

import asyncpg
from sqlalchemy.exc import DBAPIError, InterfaceError, OperationalError, TimeoutError

from core.errors import Unavailable


class translated:  # noqa: N801 - reads as a statement: `with translated():`
    """Turns "the database is away" into Unavailable, and leaves every other exception alone."""

    def __enter__(self) -> None:
        return None

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: object,
    ) -> None:
        if error is not None and is_away(error):
            raise Unavailable("The database does not answer.") from error


AWAY = (
    asyncpg.PostgresConnectionError,
    asyncpg.CannotConnectNowError,
    asyncpg.AdminShutdownError,
    asyncpg.CrashShutdownError,
    asyncpg.TooManyConnectionsError,
    # What a connection says that was told FATAL while it was idle, until its end has come too.
    asyncpg.InternalClientError,
    ConnectionError,
    OSError,
)


def is_away(error: BaseException) -> bool:
    """Whether `error` says that the database cannot be reached, rather than that a statement is wrong."""
    if isinstance(error, TimeoutError):
        return True
    if isinstance(error, DBAPIError) and error.connection_invalidated:
        return True
    if isinstance(error, InterfaceError | OperationalError | DBAPIError):
        cause = error.orig.__cause__ if error.orig is not None else None
        return isinstance(cause, AWAY)
    return isinstance(error, AWAY)
