"""A small schema in which there is something of everything that documents, limits and operations can be about."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Iterator
from typing import Annotated, Any

import strawberry
from strawberry.extensions import SchemaExtension
from strawberry.types import Info

from engine.errors import Errors
from engine.limits import cost, list_size

SECRET = "hunter2"


class Refused(Exception):
    """A refusal of the application, told word for word."""


@strawberry.interface
class Named:
    """Something with a name."""

    name: str = "a name"

    @strawberry.field
    def friend(self) -> Named:
        """Somebody else."""
        return Person()


@strawberry.type(directives=[cost(3)])
class Ship(Named):
    """Each costs 3."""

    tonnes: int = 7


@strawberry.type
class Person(Named):
    """Each costs 1."""

    age: int | None = 30
    nicknames: list[str] = strawberry.field(default_factory=list)

    @strawberry.field
    def children(self) -> list[Person]:
        """Nothing is declared of how many."""
        return []

    @strawberry.field
    def matrix(self) -> list[list[Person]]:
        """Lists in a list."""
        return []


@strawberry.type
class Edge:
    """One of a connection."""

    node: Person


@strawberry.type
class Connection:
    """Its edges and nodes are as many as were asked for."""

    edges: list[Edge]
    nodes: list[Person]
    total: int = 0


@strawberry.input
class Page:
    """How many."""

    first: int | None = None


Anything = Annotated[Ship | Person, strawberry.union("Anything")]


def people(first: int | None = None, last: int | None = None) -> list[Person]:
    """As many as asked for; 20 are assumed."""
    return [Person()] * (first or last or 2)


def connection(first: int = 4) -> Connection:
    """A connection, of four by default."""
    return Connection(edges=[], nodes=[])


def paged(page: Page | None = None) -> list[Person]:
    """As many as an input says."""
    return []


@strawberry.type
class Query:
    """What can be asked."""

    @strawberry.field
    def hello(self, name: str = "world") -> str:
        """A greeting."""
        return f"hello {name}"

    @strawberry.field
    def person(self, id: int = 0) -> Person:
        """Somebody."""
        return Person(nicknames=["Al"])

    @strawberry.field
    def named(self) -> Named:
        """Something."""
        return Ship()

    @strawberry.field
    def anything(self) -> list[Anything]:
        """Ships and persons."""
        return [Ship(), Person()]

    people = strawberry.field(people, directives=[cost(5), list_size(20, slicing_arguments=["first", "last"])])
    connection = strawberry.field(
        connection, directives=[list_size(slicing_arguments=["first"], sized_fields=["edges", "nodes"])]
    )
    paged = strawberry.field(paged, directives=[list_size(2, slicing_arguments=["page.first"])])

    @strawberry.field
    async def fault(self) -> str | None:
        """A fault of ours."""
        raise ZeroDivisionError(SECRET)

    @strawberry.field
    async def refusal(self) -> str | None:
        """A refusal."""
        raise Refused("Not so.")

    @strawberry.field
    async def forever(self, info: Info[dict[str, Any], None]) -> str | None:
        """Never answers; says when it was stopped."""
        try:
            await asyncio.Event().wait()
        finally:
            info.context["stopped"] = True
        return None


@strawberry.type
class Mutation:
    """What can be changed."""

    @strawberry.mutation
    async def change(self, info: Info[dict[str, Any], None]) -> str:
        """Begins, waits until it may go on, and ends."""
        info.context["began"].set()
        await info.context["may_go_on"].wait()
        info.context["changed"] = True
        return "changed"

    @strawberry.mutation
    async def break_late(self, info: Info[dict[str, Any], None]) -> str:
        """The same, and then a fault."""
        info.context["began"].set()
        await info.context["may_go_on"].wait()
        raise ZeroDivisionError(SECRET)


@strawberry.type
class Subscription:
    """What can be watched."""

    @strawberry.subscription
    async def count(self, info: Info[dict[str, Any], None], to: int) -> AsyncIterator[int]:
        """From one up; says when it was closed."""
        try:
            for number in range(1, to + 1):
                yield number
        finally:
            info.context["closed"] = True

    @strawberry.subscription
    async def breaks(self) -> AsyncIterator[int]:
        """Says one, and has a fault."""
        yield 1
        raise ZeroDivisionError(SECRET)

    @strawberry.subscription
    async def people(self) -> AsyncIterator[Person]:
        """Events with fields of their own."""
        yield Person()
        yield Person(age=None)


class Seen(SchemaExtension):
    """Writes down what it sees in the context, and adds to the answer."""

    def on_operation(self) -> Iterator[None]:
        """Around the operation."""
        seen = self.execution_context.context.setdefault("seen", [])
        seen.append("began")
        try:
            yield
        finally:
            result = self.execution_context.result
            seen.append("failed" if result is None or result.errors else "ended")

    def resolve(self, _next: Any, root: Any, info: Any, *args: Any, **kwargs: Any) -> Any:
        """Around every field."""
        info.context.setdefault("fields", []).append(info.field_name)
        return _next(root, info, *args, **kwargs)

    def get_results(self) -> dict[str, Any]:
        """What it adds."""
        return {"seen": True}


def make_schema(*extensions: type[SchemaExtension]) -> strawberry.Schema:
    """The schema; faults are logged by nobody but the errors of the test."""
    schema = strawberry.Schema(
        query=Query, mutation=Mutation, subscription=Subscription, types=[Ship, Person], extensions=extensions
    )
    schema.process_errors = lambda *_: None  # type: ignore[method-assign]
    return schema


SCHEMA = make_schema()


def make_errors(faults: list[BaseException] | None = None) -> Errors:
    """Errors that tell refusals, and write faults down."""
    return Errors(
        describe=lambda error: (str(error), {"code": "REFUSED"}) if isinstance(error, Refused) else None,
        unexpected=(faults if faults is not None else []).append,
    )
