"""What is asked for each object of a list is read once for all of them, and answered as if it were asked one by one."""

from __future__ import annotations

import inspect
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass, field
from types import SimpleNamespace
from typing import Any, cast

import orjson
import pytest
from graphql import parse
from graphql.execution import execute
from strawberry.execution import optimized_is_awaitable
from strawberry.schema.schema import StrawberryGraphQLCoreExecutionContext

from core.db import Database, ReadSession
from core.ids import global_id
from core.keys import Keyring
from engine.execution import CompilingExecutor, DocumentPlans, WritingExecutor
from resolvers import access
from resolvers.context import Context, Viewer
from schema.build import schema
from services.seats import Plans
from tests.factories.bookings import Desk
from tests.factories.schedules import Schedule

FLIGHT = "flight { id designator origin { iataCode } departsAt }"
BOOKING = f"""query ($id: ID!, $token: String) {{
  booking(id: $id, token: $token) {{
    pnr
    passengers {{ id firstName seats {{ number {FLIGHT} }} tickets {{ number {FLIGHT} }} }}
    payments {{ id booking {{ pnr total {{ amount }} lines {{ label }} slices {{ stops }} passengers {{ id }} }} }}
  }}
}}"""
BOARD = """query ($from: DateTime!) {
  departures(airport: "JFK", from: $from) { designator seatsLeft(cabin: ECONOMY) first: seatsLeft(cabin: FIRST) }
}"""


@dataclass(kw_only=True, eq=False)
class Counted(Context):
    """A context that counts how often something is read."""

    reads: list[str] = field(default_factory=list)

    def reading(self) -> AbstractAsyncContextManager[ReadSession]:
        """A session, counted."""
        self.reads.append("session")
        return super().reading()


class Asking:
    """Asks as a guest, with each executor."""

    def __init__(self, database: Database, keyring: Keyring, plans: Plans) -> None:
        self.app: Any = SimpleNamespace(database=database, keyring=keyring, plans=plans)

    async def data(self, executor: type[Any], document: str, variables: dict[str, Any]) -> tuple[str, int]:
        """The data as JSON, and in how many sessions it was read."""
        context = Counted(app=self.app, viewer=Viewer(), request_id="", ip="")
        more = {"plans": DocumentPlans(compile_at=1)} if issubclass(executor, CompilingExecutor) else {}
        result: Any = execute(
            schema._schema,
            parse(document),
            context_value=context,
            variable_values=variables,
            executor_class=executor,
            is_awaitable=cast("Any", optimized_is_awaitable),
            **cast("Any", more),
        )
        result = await result if inspect.isawaitable(result) else result
        assert result.errors is None, result.errors
        return orjson.dumps(result.data).decode(), len(context.reads)


@pytest.fixture
def asking(database: Database, keyring: Keyring, plans: Plans) -> Asking:
    """Whoever asks."""
    return Asking(database, keyring, plans)


@pytest.fixture
def desk(database: Database, keyring: Keyring, plans: Plans, schedule: Schedule) -> Desk:
    """Where bookings are made."""
    return Desk(database, keyring, plans, schedule)


async def test_a_booking_is_read_in_as_many_sessions_whoever_travels(
    asking: Asking, desk: Desk, keyring: Keyring
) -> None:
    sessions = []
    for units in (("2A",), ("2B", "2C", "2D")):
        row = await desk.booked(*units)
        token = access.token_for(keyring, access.BOOKING_KIND, row.id)
        asked = {"id": global_id(access.BOOKING_KIND, row.id), "token": token}
        interpreted, _ = await asking.data(StrawberryGraphQLCoreExecutionContext, BOOKING, asked)
        compiled, count = await asking.data(CompilingExecutor, BOOKING, asked)
        written, _ = await asking.data(WritingExecutor, BOOKING, asked)
        assert interpreted == compiled == written
        shown = orjson.loads(compiled)["booking"]["passengers"]
        assert [seat["number"] for one in shown for seat in one["seats"]] == list(units)
        sessions.append(count)
    assert sessions[0] == sessions[1]


async def test_the_board_s_seats_are_counted_in_one_statement_for_each_cabin(
    asking: Asking, desk: Desk, database: Database, schedule: Schedule, monkeypatch: pytest.MonkeyPatch
) -> None:
    await desk.booked("2A", "3B")
    asked = {"from": schedule.departs_at.isoformat()}
    statements: list[str] = []
    reader: Any = database.reader()
    fetch = reader.fetch

    async def counted(statement: str, *values: object) -> Any:
        statements.append(statement)
        return await fetch(statement, *values)

    monkeypatch.setattr(reader, "fetch", counted)
    interpreted, _ = await asking.data(StrawberryGraphQLCoreExecutionContext, BOARD, asked)
    one_by_one = len(statements)
    statements.clear()
    compiled, _ = await asking.data(CompilingExecutor, BOARD, asked)
    assert interpreted == compiled
    assert orjson.loads(compiled)["departures"] == [
        {"designator": "UA1", "seatsLeft": 6, "first": 4},
        {"designator": "UA2", "seatsLeft": 8, "first": 4},
    ]
    assert (one_by_one, len(statements)) == (6, 4)
