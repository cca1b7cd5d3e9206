"""Plans: what was compiled of a document, kept with the document, bounded, and made at its second use.

A plan belongs to one place of one operation (a selection of fields, or a list), and to the values of the variables on
which @skip and @include depend. Plans know the nodes of the document by identity, and therefore keep them alive.
"""

from __future__ import annotations

import logging
import threading
from collections import OrderedDict
from collections.abc import Callable, Hashable, Iterator
from dataclasses import dataclass, field
from typing import Any

from graphql import (
    FieldNode,
    FragmentSpreadNode,
    GraphQLField,
    GraphQLObjectType,
    GraphQLSchema,
    InlineFragmentNode,
    SelectionSetNode,
    VariableNode,
)
from graphql.execution.executor import Executor

from engine.execution.shapes import Details, Member, Reader
from engine.execution.trust import TooLarge, Unfit
from engine.execution.writing import Code, Compiled, write_list, write_members, write_value

DOCUMENTS = 500
"""How many documents keep their plans where nobody else keeps the documents."""

MOST_FIELDS = 1_000
"""How many fields of one operation are read for plans, in all. Each costs about 0.1 ms, once."""

MOST_VARIANTS = 16
"""For how many combinations of variables in @skip and @include an operation has plans."""

SECOND = 2
"""At which use of an operation it is compiled: most documents that a server sees once, it never sees again."""

LOG = logging.getLogger(__name__)

CONDITIONS = frozenset({"skip", "include"})


@dataclass(frozen=True, eq=False)
class Plan:
    """Compiled code for one place. `core` are the response keys of an object's fields that graphql-core must run."""

    code: Code
    core: tuple[str, ...] = ()
    function: Compiled | None = None

    @classmethod
    def of(cls, code: Code, core: tuple[str, ...] = ()) -> Plan:
        """A plan; its function is made at once where it is the same for every operation."""
        function = None if code.varying or code.batches else code.make()[0]
        return cls(code, core, function)


@dataclass(frozen=True, eq=False)
class Root:
    """The only root field of an operation, which is awaited, and the plan for its value."""

    key: str
    details: Details
    parent: GraphQLObjectType
    field: GraphQLField
    plan: Plan
    resolve: Callable[..., Any]


@dataclass
class Variant:
    """An operation with certain values of its conditions."""

    uses: int = 0
    plans: dict[Hashable, Plan | None] = field(default_factory=dict)
    root: Root | None = None
    """The only root field, where that goes the straight way (`engine.execution.straight`)."""
    is_read: bool = False
    """Whether it was looked for."""


class OperationPlans:
    """The plans of one operation of a document. `refusal` says why there are none, where there can be none."""

    def __init__(self, executor: Executor[Any], compile_at: int = SECOND) -> None:
        self.compile_at = compile_at
        self.schema: GraphQLSchema = executor.schema
        self.operation = executor.operation
        self.fragments = executor.fragments
        self.budget = MOST_FIELDS
        self.variants: dict[tuple[Any, ...], Variant] = {}
        self.refusal: str | None = None
        self.conditions: tuple[str, ...] = ()
        try:
            self.conditions = tuple(dict.fromkeys(conditions(executor)))
        except Unfit as unfit:
            self.refusal = unfit.reason

    def variant(self, executor: Executor[Any]) -> Variant | None:
        """The variant that an execution uses; None where nothing is to be compiled for it, or not yet."""
        if self.refusal is not None or self.schema is not executor.schema:
            return None
        coerced = executor.variable_values.coerced
        key = tuple([coerced.get(name) for name in self.conditions])
        found = self.variants.get(key)
        if found is None:
            if len(self.variants) >= MOST_VARIANTS:
                return None
            found = self.variants[key] = Variant()
        found.uses += 1
        return found if found.uses >= self.compile_at else None

    def make(self, executor: Executor[Any], read: Callable[[Reader], Plan], *, batches: bool) -> Plan | None:
        """A plan within the budget; None where there can be none."""
        reader = Reader(executor, self.budget, batches=batches)
        try:
            return read(reader)
        except Unfit:
            return None
        except Exception:
            LOG.exception("A plan could not be made; graphql-core runs it.")
            return None
        finally:
            self.budget = max(reader.budget, 0)


def conditions(executor: Executor[Any]) -> Iterator[str]:
    """The variables on which @skip and @include depend. Raises Unfit for any other directive, or fragment arguments."""
    refuse_directives(executor.operation)
    waiting: list[SelectionSetNode] = [executor.operation.selection_set]
    seen: set[str] = set()
    while waiting:
        for selection in waiting.pop().selections:
            for directive in selection.directives or ():
                if directive.name.value not in CONDITIONS:
                    raise Unfit(f"it has the directive @{directive.name.value}")
                yield from (
                    one.value.name.value for one in directive.arguments or () if isinstance(one.value, VariableNode)
                )
            if isinstance(selection, FragmentSpreadNode):
                name = selection.name.value
                if name not in seen:
                    seen.add(name)
                    waiting.append(fragment(executor, name))
            elif isinstance(selection, FieldNode | InlineFragmentNode) and selection.selection_set is not None:
                waiting.append(selection.selection_set)


def fragment(executor: Executor[Any], name: str) -> SelectionSetNode:
    """What a fragment selects. Raises Unfit for one with directives or variables of its own."""
    found = executor.fragments.get(name)
    if found is None or found.variable_signatures:
        raise Unfit(f"the fragment {name} is unknown, or has variables")
    refuse_directives(found.definition)
    return found.definition.selection_set


def refuse_directives(node: Any) -> None:
    """An operation or fragment with directives is graphql-core's. Raises Unfit."""
    if node.directives:
        raise Unfit(f"it has the directive @{node.directives[0].name.value}")


class DocumentPlans:
    """What was compiled of one document. Whoever keeps documents keeps one of these beside each.

    `compile_at` is the use of an operation at which it is compiled: 1 for documents that will surely come again.
    """

    def __init__(self, compile_at: int = SECOND) -> None:
        self.compile_at = compile_at
        self.operations: dict[int, OperationPlans] = {}

    def of(self, executor: Executor[Any]) -> OperationPlans:
        """The plans of the operation that is executed; its node is kept, so that its identity stays its own."""
        found = self.operations.get(id(executor.operation))
        if found is None:
            found = self.operations[id(executor.operation)] = OperationPlans(executor, self.compile_at)
        return found


class KnownPlans:
    """Plans of the operations used last, for whoever keeps no documents. May be used by several threads."""

    def __init__(self, most: int = DOCUMENTS) -> None:
        self.most = most
        self.lock = threading.Lock()
        self.operations: OrderedDict[int, OperationPlans] = OrderedDict()

    def of(self, executor: Executor[Any]) -> OperationPlans:
        """The plans of the operation that is executed; those used longest ago are forgotten."""
        key = id(executor.operation)
        with self.lock:
            found = self.operations.get(key)
            if found is None:
                found = self.operations[key] = OperationPlans(executor)
                if len(self.operations) > self.most:
                    self.operations.popitem(last=False)
            else:
                self.operations.move_to_end(key)
            return found


def members_plan(parent: Any, selected: dict[str, Details], reader: Reader) -> Plan:
    """A plan for an object's fields: those that compile, and the rest left to graphql-core. Raises Unfit."""
    members: dict[str, Member | None] = {}
    for key, details in selected.items():
        try:
            members[key] = reader.member(parent, key, details)
        except TooLarge:
            raise
        except Unfit:
            members[key] = None
    if not any(members.values()):
        raise Unfit("nothing of it compiles")
    return Plan.of(write_members(members), tuple(key for key, member in members.items() if member is None))


def list_plan(item_type: Any, details: Details, reader: Reader) -> Plan:
    """A plan for a list. Raises Unfit."""
    return Plan.of(write_list(reader.place(item_type, details)))


def value_plan(output: Any, details: Details, reader: Reader) -> Plan:
    """A plan for the whole value of a field, whatever its type. Raises Unfit; the reading is not counted then."""
    budget = reader.budget
    try:
        return Plan.of(write_value(reader.place(output, details)))
    except Unfit:
        reader.budget = budget
        raise
