"""What it means that the database is away."""

from __future__ import annotations

import asyncpg
import pytest

from core.errors import Unavailable
from core.outages import is_away, translated


@pytest.mark.parametrize(
    "error",
    [
        asyncpg.ConnectionDoesNotExistError("connection was closed in the middle of operation"),
        asyncpg.AdminShutdownError("terminating connection due to administrator command"),
        asyncpg.InternalClientError("unexpected message after FATAL to an idle connection"),
        ConnectionResetError(),
    ],
)
def test_a_lost_connection_is_the_database_being_away(error: Exception) -> None:
    assert is_away(error)
    with pytest.raises(Unavailable), translated():
        raise error


@pytest.mark.parametrize("error", [asyncpg.UniqueViolationError("twice"), asyncpg.DataError("odd"), ValueError("odd")])
def test_a_wrong_statement_is_not(error: Exception) -> None:
    assert not is_away(error)
    with pytest.raises(type(error)), translated():
        raise error
