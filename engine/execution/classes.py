"""Guards that compiled code puts before a value: each class of values is looked at once, and known from then on.

A guard raises Odd for anything that graphql-core should see itself. It may do so for what is quite in order (that costs
time), and must do so for what is not. What it remembers is bounded, and dies with its plan.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Sequence
from datetime import date, datetime, time, timedelta
from decimal import Decimal
from types import CoroutineType, GeneratorType, SimpleNamespace
from typing import Any

from graphql import GraphQLAbstractType, GraphQLInterfaceType, GraphQLObjectType, GraphQLSchema
from graphql.execution.executor import get_typename
from graphql.pyutils import Undefined
from graphql.pyutils import is_awaitable as may_be_awaited
from strawberry.types.base import get_object_definition
from strawberry.types.cast import TYPE_CAST_ATTRIBUTE

from engine.execution.marks import classes_of
from engine.execution.trust import is_generic

MOST_CLASSES = 64
"""How many classes a guard remembers: programs that make classes as they go must not fill the memory."""

MAGIC = frozenset({"__getattribute__", "__getattr__", "__class__", "__await__"})
"""What a class must not define for its instances to be what they seem."""

PLAIN = frozenset({Decimal, date, datetime, time, timedelta})
"""Classes written in C, whose `__getattribute__` is the usual one."""

HEAP_TYPE = 1 << 9
"""Py_TPFLAGS_HEAPTYPE: a class made by a program, not built into the interpreter."""


class Odd(Exception):
    """Compiled code met something that graphql-core must see: its result is thrown away."""


def is_plain(cls: type) -> bool:
    """Whether instances of a class are what they seem: no exceptions, nothing to await, no attributes by magic."""
    if issubclass(cls, BaseException | GeneratorType | CoroutineType) or cls in (type(None), type(Undefined)):
        return False
    for base in cls.__mro__[:-1]:
        built_in = base.__module__ == "builtins" and not base.__flags__ & HEAP_TYPE
        if not MAGIC.isdisjoint(vars(base)) and base not in PLAIN and not (built_in and "__await__" not in vars(base)):
            return False
    return True


def is_sealed(cls: type) -> bool:
    """Whether instances cannot be given attributes: `strawberry.cast` cannot have changed what they are."""
    parameters = vars(cls).get("__dataclass_params__")
    return bool(parameters is not None and parameters.frozen) and not any(
        name.endswith("__typename")
        for name in cls.__dataclass_fields__  # type: ignore[attr-defined]
    )


def is_cast(value: object) -> bool:
    """Whether `strawberry.cast` said what a value is."""
    return getattr(value, TYPE_CAST_ATTRIBUTE, None) is not None


class Guard:
    """For a place where any object may stand. `known` are the classes whose instances need not be shown to it."""

    def __init__(self) -> None:
        self.known: set[type] = set()

    def __call__(self, value: Any) -> None:
        """Look at a value of an unknown class. Raises Odd."""
        if is_plain(type(value)):
            self.remember(type(value))
        elif value is None or value is Undefined or isinstance(value, Exception) or may_be_awaited(value):
            raise Odd

    def remember(self, cls: type) -> None:
        """Instances of that class pass."""
        if len(self.known) < MOST_CLASSES:
            self.known.add(cls)


class TypeGuard(Guard):
    """For a type with an `is_type_of` that looks at the class alone."""

    def __init__(self, named: GraphQLObjectType) -> None:
        super().__init__()
        self.is_type_of: Any = named.is_type_of
        self.minds_casts = classes_of(named.is_type_of) is None
        self.careful: set[type] = set()

    def __call__(self, value: Any) -> None:
        """Look at a value of an unknown class. Raises Odd."""
        cls = type(value)
        if self.minds_casts and is_cast(value):
            raise Odd
        if cls in self.careful:
            return
        if not is_plain(cls) or not self.is_type_of(value, None):
            raise Odd
        if not self.minds_casts or is_sealed(cls):
            self.remember(cls)
        elif len(self.careful) < MOST_CLASSES:
            self.careful.add(cls)


LISTS: tuple[type, ...] = (list, tuple, set, frozenset, deque, type({}.keys()), type({}.values()))
"""What can be gone through again as often as one likes."""


class ListGuard(Guard):
    """For a list: only what graphql-core could go through once more."""

    def __init__(self) -> None:
        super().__init__()
        self.known.update(LISTS)

    def __call__(self, value: Any) -> None:
        """Look at a value of an unknown class. Raises Odd."""
        cls = type(value)
        same = any(issubclass(cls, base) and cls.__iter__ is base.__iter__ for base in (list, tuple))
        if not same or not is_plain(cls) or hasattr(cls, "__aiter__"):
            raise Odd
        self.remember(cls)


class Chooser:
    """For an interface or union: which of its types an object is, as an index into `options`.

    Strawberry's own rule is asked once for each class. That is enough where the rule sees nothing but the class
    (`trust.knows_by_class`, no generic types); casts and `__typename` attributes are looked for in every object that
    could have them.
    """

    def __init__(
        self, schema: GraphQLSchema, abstract: GraphQLAbstractType, options: Sequence[GraphQLObjectType]
    ) -> None:
        self.abstract = abstract
        self.indexes = {option.name: index for index, option in enumerate(options)}
        self.known: dict[type, int] = {}
        self.careful: dict[type, int] = {}
        self.info: Any = SimpleNamespace(schema=schema, field_name="", is_awaitable=may_be_awaited)

    def __call__(self, value: Any) -> int:
        """The index for an object whose class is not in `known`. Raises Odd."""
        cls = type(value)
        if is_cast(value) or (isinstance(self.abstract, GraphQLInterfaceType) and get_typename(value) is not None):
            raise Odd
        index = self.careful.get(cls)
        return self.learn(value, cls) if index is None else index

    def learn(self, value: Any, cls: type) -> int:
        """Ask Strawberry's rule, and remember what it said of the class."""
        if not is_plain(cls) or is_generic(get_object_definition(cls)):
            raise Odd
        name = self.abstract.resolve_type(value, self.info, self.abstract)  # type: ignore[misc]
        index = self.indexes.get(name) if isinstance(name, str) else None
        if index is None:
            raise Odd
        remembered = self.known if is_sealed(cls) else self.careful
        if len(remembered) < MOST_CLASSES:
            remembered[cls] = index
        return index
