"""Input objects built by plans are those that Strawberry builds."""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import Enum
from typing import Annotated, Any

import pytest
import strawberry
from strawberry.relay import GlobalID
from strawberry.schema.config import StrawberryConfig

from engine.inputs import quicken
from engine.inputs.objects import Build


@strawberry.enum
class Cabin(Enum):
    """A cabin."""

    FIRST = "first"


@dataclass(frozen=True, kw_only=True)
class Seat:
    """One seat."""

    row_number: int
    letters: tuple[str, ...] = ()
    cabin: Cabin | None = None


@dataclass(frozen=True, kw_only=True)
class Party:
    """All."""

    seats: list[Seat]
    spare: list[Seat | None] | None = None
    best: Seat | None = strawberry.UNSET
    note: str | None
    labels: list[str] | None = field(default_factory=lambda: ["new"])


@strawberry.input
class Perhaps:
    """What may be left unsaid."""

    name: strawberry.Maybe[str]


@strawberry.input
class Endless:
    """What holds itself."""

    again: Annotated[Endless, strawberry.lazy("tests.engine.inputs.test_objects")] | None = None
    name: str = "x"


@strawberry.input
class Owned:
    """What names something."""

    of: GlobalID


strawberry.input(Seat)
strawberry.input(Party)
INPUTS = (Seat, Party, Perhaps, Endless, Owned)


@strawberry.type
class Query:
    """What is asked."""

    @strawberry.field
    def shown(
        self,
        party: Party | None = None,
        parties: list[Party] | None = None,
        perhaps: Perhaps | None = None,
        endless: Endless | None = None,
        owned: Owned | None = None,
    ) -> str:
        """What was said."""
        return repr((party, parties, perhaps, endless, owned))


def shown(schema: strawberry.Schema, said: str) -> Any:
    """What a resolver is given."""
    result = schema.execute_sync(f"{{ shown({said}) }}")
    return [str(error) for error in result.errors] if result.errors else result.data


def definition(one: Any) -> Any:
    """What Strawberry knows of a class."""
    return one.__strawberry_definition__


def hooks() -> list[Any]:
    """What builds the inputs."""
    return [definition(one).from_input for one in INPUTS]


@pytest.fixture(autouse=True)
def nothing_is_hooked(monkeypatch: pytest.MonkeyPatch) -> None:
    """Each test begins with Strawberry's own way."""
    for one in INPUTS:
        monkeypatch.setattr(definition(one), "from_input", None)


SAID = [
    "party: {seats: [], note: null}",
    'party: {seats: [{rowNumber: 7}], note: "n", labels: []}',
    'party: {seats: [{rowNumber: 7, letters: ["A", "B"], cabin: FIRST}], spare: [null, {rowNumber: 1}], note: null}',
    "party: {seats: [], best: null, note: null}",
    "party: {seats: [], best: {rowNumber: 1, cabin: null}, spare: null, note: null}",
    "parties: [{seats: [{rowNumber: 1}], note: null}]",
    'perhaps: {name: "a"}',
    "perhaps: {}",
    'endless: {again: {again: {}}, name: "y"}',
    'owned: {of: "UXVlcnk6MQ=="}',
    'owned: {of: "?"}',
    "party: null",
]


def test_they_are_strawberrys() -> None:
    schema = strawberry.Schema(Query)
    told = [shown(schema, said) for said in SAID]
    quicken(schema)
    assert [isinstance(hook, Build) for hook in hooks()] == [True, True, False, False, False]
    assert [shown(schema, said) for said in SAID] == told
    before = hooks()
    quicken(schema)
    assert hooks() == before


def test_another_schema_has_its_own_names() -> None:
    quicken(strawberry.Schema(Query))
    other = strawberry.Schema(Query, config=StrawberryConfig(auto_camel_case=False))
    assert "row_number=7" in shown(other, "party: {seats: [{row_number: 7}], note: null}")["shown"]


def test_a_default_is_nobody_elses() -> None:
    quicken(strawberry.Schema(Query))
    build = definition(Party).from_input
    said = ["a"]
    made = build.of({"seats": [], "note": None, "labels": said})
    assert made.labels == said
    assert made.labels is not said
