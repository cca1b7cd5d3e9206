"""Objects that last are written once, and answered alike; all others are written each time."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

import orjson
import pytest
import strawberry
from graphql import parse
from graphql.execution import execute

from engine.execution import CompilingExecutor, DocumentPlans, WritingExecutor, by_class, kept_in, pure
from engine.execution.keeping import MOST_KEPT


@dataclass(frozen=True)
class SeatRow:
    """A seat, which lasts where it has a dictionary."""

    number: str
    written: dict[object, Any] | None = field(default=None, compare=False)


class OtherRow:
    """A seat that has no such attribute."""

    number = "9Z"


@pure
def shouted(root: strawberry.Parent[SeatRow], mark: str = "!") -> str:
    return root.number + mark


@kept_in("written")
@strawberry.type
class Seat:
    """A seat."""

    is_type_of = by_class(SeatRow, OtherRow)

    number: str
    shouted = strawberry.field(resolver=shouted, graphql_type=str)


@strawberry.type
class Query:
    """What is asked."""

    @strawberry.field
    def seats(self, info: strawberry.Info[list[Any]]) -> list[Seat]:
        """The seats that the test gives."""
        return info.context


SCHEMA = strawberry.Schema(Query)


class Asked:
    """A document, asked again and again."""

    def __init__(self, text: str, executor: type[CompilingExecutor] = WritingExecutor) -> None:
        self.document = parse(text)
        self.executor = executor
        self.plans = DocumentPlans(compile_at=1)

    def data(self, seats: list[Any], **variables: Any) -> Any:
        """The data of an answer, as the executor gives it."""
        result: Any = execute(
            SCHEMA._schema,
            self.document,
            context_value=seats,
            variable_values=variables,
            executor_class=self.executor,
            plans=self.plans,
        )
        return result

    def written(self, seats: list[Any], **variables: Any) -> str:
        """The data as JSON."""
        return orjson.dumps(self.data(seats, **variables).data).decode()


def test_what_lasts_is_written_once_and_the_rest_each_time() -> None:
    lasting, passing = SeatRow("1A", {}), SeatRow("1B")
    asked = Asked("{ seats { number } }")
    for _ in range(3):
        assert asked.written([lasting, passing, OtherRow()]) == (
            '{"seats":[{"number":"1A"},{"number":"1B"},{"number":"9Z"}]}'
        )
    assert lasting.written is not None
    (kept,) = lasting.written.values()
    answer = asked.data([lasting, passing]).data["seats"]
    assert answer[0] is kept
    assert answer[1] == {"number": "1B"}


def test_each_place_of_a_document_keeps_what_it_selects() -> None:
    lasting = SeatRow("1A", {})
    asked = Asked('{ seats { number } loud: seats { number loud: shouted(mark: "?") } }')
    for _ in range(2):
        assert asked.written([lasting]) == '{"seats":[{"number":"1A"}],"loud":[{"number":"1A","loud":"1A?"}]}'


def test_what_varies_with_variables_is_not_kept() -> None:
    lasting = SeatRow("1A", {})
    asked = Asked("query ($mark: String!) { seats { shouted(mark: $mark) } }")
    assert [asked.written([lasting], mark=mark) for mark in "?!"] == [
        '{"seats":[{"shouted":"1A?"}]}',
        '{"seats":[{"shouted":"1A!"}]}',
    ]
    assert lasting.written == {}


def test_what_is_left_out_with_some_variables_is_kept_apart() -> None:
    lasting = SeatRow("1A", {})
    asked = Asked("query ($whole: Boolean!) { seats { number shouted @include(if: $whole) } }")
    for _ in range(2):
        assert asked.written([lasting], whole=True) == '{"seats":[{"number":"1A","shouted":"1A!"}]}'
        assert asked.written([lasting], whole=False) == '{"seats":[{"number":"1A"}]}'


def test_an_object_keeps_so_much_and_no_more() -> None:
    lasting = SeatRow("1A", {})
    for _ in range(3 * MOST_KEPT):
        assert Asked("{ seats { number } }").written([lasting]) == '{"seats":[{"number":"1A"}]}'
    assert lasting.written is not None
    assert len(lasting.written) <= MOST_KEPT


def test_what_is_in_error_is_not_kept_and_told_each_time() -> None:
    lasting: Any = SeatRow(None, {})  # type: ignore[arg-type]
    asked = Asked("{ seats { number } }")
    for _ in range(2):
        result = asked.data([SeatRow("1A", {}), lasting])
        assert result.data is None
        assert [error.path for error in result.errors] == [["seats", 1, "number"]]
    assert lasting.written == {}


def test_nothing_is_kept_for_whoever_may_read_the_answer() -> None:
    lasting = SeatRow("1A", {})
    asked = Asked("{ seats { number } }", CompilingExecutor)
    assert asked.data([lasting]).data == {"seats": [{"number": "1A"}]}
    assert lasting.written == {}


def test_only_a_name_can_be_an_attribute() -> None:
    with pytest.raises(ValueError, match="no attribute"):
        kept_in("written()")
