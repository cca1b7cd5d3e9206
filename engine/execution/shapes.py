"""What can be compiled, and why the rest cannot: selections read into shapes, or refused with a reason.

A shape is what compiled code is written from (`engine.execution.writing`). `Unfit` says why graphql-core must run a
field; it is also what `explain` tells.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, replace
from keyword import iskeyword
from typing import Any, TypeVar

from graphql import (
    GraphQLEnumType,
    GraphQLError,
    GraphQLField,
    GraphQLInterfaceType,
    GraphQLList,
    GraphQLNonNull,
    GraphQLObjectType,
    GraphQLScalarType,
    GraphQLSchema,
    GraphQLUnionType,
    get_named_type,
)
from graphql.execution.collect_fields import FieldDetails
from graphql.execution.executor import Executor
from strawberry.schema.schema_converter import CustomGraphQLEnumType

from engine.execution import trust
from engine.execution.arguments import Arguments, arguments_of, constant_of
from engine.execution.marks import Many, Quick, is_pure, many_of, quick_of
from engine.execution.trust import TooLarge, Unfit

NAME = re.compile(r"[_A-Za-z][_0-9A-Za-z]*", re.ASCII)
"""A GraphQL name (specification, section 2.1.9): what may be written into code as a string."""

DEEPEST = 40
"""How many lists and objects may lie in each other in one plan: compiled code calls itself that deep."""

Details = list[FieldDetails]


@dataclass(frozen=True, eq=False)
class Leaf:
    """A scalar or an enum."""

    named: GraphQLScalarType | GraphQLEnumType


@dataclass(frozen=True, eq=False)
class Items:
    """A list."""

    item: Place


@dataclass(frozen=True, eq=False)
class Choice:
    """An interface or union: one of several objects."""

    abstract: GraphQLInterfaceType | GraphQLUnionType
    options: tuple[Thing, ...]
    schema: GraphQLSchema


@dataclass(frozen=True, eq=False)
class Thing:
    """An object with the members that were selected of it."""

    named: GraphQLObjectType
    members: tuple[Member, ...]
    kept_in: str | None = None
    """The attribute under which objects that last keep what was written of them; None where nothing is kept."""


@dataclass(frozen=True, eq=False)
class Place:
    """A place of the answer: what stands there, and whether null may."""

    shape: Leaf | Items | Choice | Thing
    nullable: bool


@dataclass(frozen=True, eq=False)
class Attribute:
    """A value read from the parent by `getattr`."""

    name: str


@dataclass(frozen=True, eq=False)
class Call:
    """A value that a pure resolver makes of its parent. The parent is passed by place, or by name where there is one.

    `arguments` are those that vary with variables, `constant` are those that do not.
    """

    function: Any
    parent_name: str | None
    takes_parent: bool
    arguments: Arguments | None = None
    constant: dict[str, Any] | None = None


@dataclass(frozen=True, eq=False)
class Batch:
    """A value that is asked for once for a whole list."""

    many: Many
    field: GraphQLField
    parent: GraphQLObjectType
    details: Details
    key: str
    arguments: Arguments | None


@dataclass(frozen=True, eq=False)
class Member:
    """A field of an object under its response key. `source` is a text where it is the answer itself: `__typename`."""

    key: str
    source: Attribute | Call | Batch | str
    place: Place | None = None


Companion = TypeVar("Companion", Call, Batch)


class Reader:
    """Reads selections for one plan. `budget` is how many fields may still be read for the operation."""

    def __init__(self, executor: Executor[Any], budget: int, *, batches: bool) -> None:
        self.executor = executor
        self.budget = budget
        self.batches = batches
        self.writes: bool = getattr(executor, "writes", False)
        self.depth = 0
        self.things: dict[tuple[str, tuple[int, ...]], Thing | Unfit] = {}

    def place(self, output: Any, details: Details) -> Place:
        """A place of a type. Raises Unfit."""
        nullable = not isinstance(output, GraphQLNonNull)
        named = output if nullable else output.of_type
        if self.depth >= DEEPEST:
            raise Unfit("it lies too deep")
        self.depth += 1
        try:
            return Place(self.shape(named, details), nullable)
        finally:
            self.depth -= 1

    def shape(self, named: Any, details: Details) -> Leaf | Items | Choice | Thing:
        """What stands at a place. Raises Unfit."""
        match named:
            case GraphQLScalarType():
                if not trust.is_pure_scalar(named):
                    raise Unfit(f"the scalar {named.name}'s serialize is not marked pure")
                return Leaf(named)
            case GraphQLEnumType():
                if type(named) not in (CustomGraphQLEnumType, GraphQLEnumType):
                    raise Unfit(f"the enum {named.name} is of a class of its own")
                return Leaf(named)
            case GraphQLList():
                return Items(self.place(named.of_type, details))
            case GraphQLObjectType():
                if not trust.knows_by_class(named):
                    raise Unfit(f"{named.name} tells its objects by more than their class")
                return self.thing(named, details)
            case GraphQLInterfaceType() | GraphQLUnionType():
                return self.choice(named, details)
        raise Unfit(f"{named} is of an unknown kind")

    def choice(self, abstract: GraphQLInterfaceType | GraphQLUnionType, details: Details) -> Choice:
        """An interface or union. Raises Unfit."""
        code = trust.RESOLVE_UNION if isinstance(abstract, GraphQLUnionType) else trust.RESOLVE_INTERFACE
        if not trust.is_code(abstract.resolve_type, code):
            raise Unfit(f"{abstract.name} has a resolve_type of its own")
        options = self.executor.schema.get_possible_types(abstract)
        if not options:
            raise Unfit(f"nothing is a {abstract.name}")
        for option in options:
            if not trust.knows_by_class(option):
                raise Unfit(f"{option.name} tells its objects by more than their class")
        return Choice(abstract, tuple(self.thing(option, details) for option in options), self.executor.schema)

    def thing(self, named: GraphQLObjectType, details: Details) -> Thing:
        """An object whose every selected field compiles; read once, wherever fragments lead to it. Raises Unfit."""
        key = (named.name, tuple([id(detail.node) for detail in details]))
        found = self.things.get(key)
        if found is None:
            try:
                members = tuple(self.member(named, *entry) for entry in self.selected(named, details).items())
                found = Thing(named, members, trust.kept_in(named) if self.writes else None)
            except TooLarge:
                raise
            except Unfit as unfit:
                found = unfit
            self.things[key] = found
        if isinstance(found, Unfit):
            raise found
        return found

    def selected(self, named: GraphQLObjectType, details: Details) -> dict[str, Details]:
        """The selected fields of an object by response key. Raises Unfit where graphql-core would raise."""
        try:
            return self.executor.collect_subfields(named, details).grouped_field_set
        except GraphQLError as error:
            raise Unfit("a directive's argument is in error") from error

    def member(self, parent: GraphQLObjectType, key: str, details: Details) -> Member:
        """A field of an object. Raises Unfit."""
        self.budget -= 1
        if self.budget < 0:
            raise TooLarge("the operation is too large to be compiled whole")
        if not NAME.fullmatch(key):
            raise Unfit("its response key is no name")
        name = details[0].node.name.value
        if name == "__typename":
            return Member(key, parent.name)
        field = parent.fields.get(name)
        if field is None:
            raise Unfit("it asks about the schema")
        try:
            source = self.source(parent, key, field, details)
            return Member(key, source, self.place(field.type, details))
        except Unfit as unfit:
            unfit.field = unfit.field or f"{parent.name}.{name}"
            raise

    def source(
        self, parent: GraphQLObjectType, key: str, field: GraphQLField, details: Details
    ) -> Attribute | Call | Batch:
        """Where a field's value comes from. Raises Unfit."""
        attribute = trust.attribute_of(field)
        if attribute is not None:
            return Attribute(attribute)
        made_of = trust.strawberry_field(field)
        resolver = made_of.base_resolver if made_of is not None else None
        if made_of is not None and made_of.extensions:
            raise Unfit("it has an extension or a permission")
        if resolver is None:
            raise Unfit("it is not a plain attribute")
        quick = quick_of(resolver.wrapped_func)
        if quick is not None and not field.args and self.knows(quick, field, details):
            return self.unwrapped(Call(quick.function, None, takes_parent=True), field)
        many = many_of(resolver.wrapped_func)
        if many is not None and self.batches:
            batch = Batch(many, field, parent, details, key, arguments_of(field, details, self.executor))
            return self.unwrapped(batch, field)
        if not is_pure(resolver.wrapped_func):
            raise Unfit("it is batched, and stands in no list here" if many else "its resolver is not marked pure")
        call = call_of(field)
        arguments = arguments_of(field, details, self.executor)
        if arguments is None:
            return call
        constant = constant_of(arguments, self.executor)
        return replace(call, constant=constant, arguments=arguments if constant is None else None)

    def knows(self, quick: Quick, field: GraphQLField, details: Details) -> bool:
        """Whether a companion knows all that is selected of its value. Raises Unfit."""
        if quick.only is None:
            return True
        named = get_named_type(field.type)
        selected = self.selected(named, details) if isinstance(named, GraphQLObjectType) else {}
        return bool(selected) and quick.only.issuperset(found[0].node.name.value for found in selected.values())

    @staticmethod
    def unwrapped(source: Companion, field: GraphQLField) -> Companion:
        """The companion of a resolver, if exceptions of that are told as they are. Raises Unfit."""
        resolve = field.resolve
        if not (trust.is_code(resolve, trust.RESOLVER) or trust.is_code(resolve, trust.ASYNC_RESOLVER)):
            raise Unfit("its resolver was wrapped")
        if trust.has_handlers(field):
            raise Unfit("exceptions of its resolver are handled")
        return source


def call_of(field: GraphQLField) -> Call:
    """How a pure resolver is called. Raises Unfit."""
    made_of = trust.strawberry_field(field)
    resolver = made_of.base_resolver if made_of is not None else None
    if resolver is None or not trust.is_code(field.resolve, trust.RESOLVER):
        raise Unfit("its resolver is async or was wrapped")
    if resolver.info_parameter is not None:
        raise Unfit("its resolver asks for info")
    parents = list({one.name for one in (resolver.parent_parameter, resolver.root_parameter) if one is not None})
    if len(parents) + bool(resolver.self_parameter) > 1:
        raise Unfit("its resolver asks for its parent twice")
    parent_name = parents[0] if parents else None
    if parent_name is not None and not is_identifier(parent_name):
        raise Unfit("its resolver's parameter has no plain name")
    return Call(resolver.wrapped_func, parent_name, bool(parents or resolver.self_parameter))


def is_identifier(name: str) -> bool:
    """Whether a name may be written into code as it is: the compiler would change one that is not ASCII."""
    return name.isascii() and name.isidentifier() and not iskeyword(name)
