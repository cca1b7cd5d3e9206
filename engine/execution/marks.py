"""Marks that a schema puts on its functions, so that the executor knows what it may compile.

Nothing is guessed: what bears no mark, and is not known by name in `engine.execution.trust`, is run by graphql-core.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from typing import Any, NamedTuple, TypeVar

Function = TypeVar("Function", bound=Callable[..., Any])
Kind = TypeVar("Kind", bound=type)
Many = Callable[..., Any]
"""`many(parents, info, **arguments)`: the values of a field for each of the parents, in their order, or an awaitable of
them. An exception in a place is the error of that parent's field."""

PURE, BATCH, CLASSES, QUICK = "__graphql_pure__", "__graphql_batch__", "__graphql_classes__", "__graphql_quick__"
KEPT = "__graphql_kept__"


def pure(function: Function) -> Function:
    """Mark a resolver or a scalar's `serialize` as free of side effects: as often as it is asked, it says the same.

    A pure resolver is a plain function of its parent and its arguments: it asks for no `info` and is not async. Where
    anything is odd graphql-core calls it once more. Raises TypeError for what cannot bear a mark.
    """
    return marked(function, PURE, True)


def batched(many: Many) -> Callable[[Function], Function]:
    """Mark a resolver as having a companion that answers for a whole list at once.

    Both must say the same: the ordinary resolver answers for most single objects, and where the executor steps
    aside. `many` gets the parents (some may repeat), the `info` of the first place of the list, and the arguments.
    """

    def mark(function: Function) -> Function:
        return marked(function, BATCH, many)

    return mark


class Quick(NamedTuple):
    """A companion of a resolver, and of which fields of its value it knows all; None for any."""

    function: Callable[[Any], Any]
    only: frozenset[str] | None


def at_hand(quick: Callable[[Any], Any], *, only: Iterable[str] | None = None) -> Callable[[Function], Function]:
    """Mark a resolver without arguments as having a companion that often has its value at hand, without waiting.

    `quick(parent)` is pure. It says what the resolver would say, or raises: then the resolver is asked. Where its value
    stands for something of which it knows some fields alone, `only` names them (as in the schema), and it is left alone
    where anything else is selected.
    """

    def mark(function: Function) -> Function:
        return marked(function, QUICK, Quick(quick, None if only is None else frozenset({*only, "__typename"})))

    return mark


def by_class(*classes: type) -> Callable[[Any, Any], bool]:
    """`is_type_of` for a type whose objects are instances of those classes, known to look at the class alone."""

    def is_type_of(value: Any, _info: Any) -> bool:
        return isinstance(value, classes)

    return marked(is_type_of, CLASSES, classes)


def marked(function: Function, mark: str, value: object) -> Function:
    """The function itself, with the mark on it."""
    try:
        setattr(function, mark, value)
    except AttributeError as error:
        raise TypeError(f"{function!r} cannot bear a mark: wrap it in a function of your own.") from error
    return function


def kept_in(attribute: str) -> Callable[[Kind], Kind]:
    """Mark a Strawberry type of whose objects some last: where answers are only written, each is written once.

    Such an object never changes, nor does anything that its type shows of it, and it has a dictionary of its own under
    that attribute for what was written; objects that do not last have None there. Raises ValueError for what is no
    name of an attribute.
    """
    if not attribute.isidentifier():
        raise ValueError(f"{attribute!r} is no attribute")

    def mark(kind: Kind) -> Kind:
        setattr(kind, KEPT, attribute)
        return kind

    return mark


def is_pure(function: object) -> bool:
    """Whether `pure` was said of it."""
    return getattr(function, PURE, False) is True


def many_of(function: object) -> Many | None:
    """The companion that `batched` gave it."""
    many: Many | None = getattr(function, BATCH, None)
    return many


def quick_of(function: object) -> Quick | None:
    """The companion that `at_hand` gave it."""
    quick: Quick | None = getattr(function, QUICK, None)
    return quick


def classes_of(is_type_of: object) -> Sequence[type] | None:
    """The classes that `by_class` was given."""
    classes: Sequence[type] | None = getattr(is_type_of, CLASSES, None)
    return classes
