"""Which subscriptions are shared, and with whom: declared at their fields, found for an operation."""

from __future__ import annotations

from collections.abc import Callable, Hashable
from dataclasses import dataclass, replace
from typing import Any, NamedTuple

from graphql import (
    FieldNode,
    GraphQLSchema,
    OperationDefinitionNode,
    ValueNode,
    VariableNode,
    Visitor,
    visit,
)
from graphql.execution.values import VariableValues

from engine.documents.known import Known
from engine.limits.declared import BACKREF
from engine.operations import Prepared

METADATA = "engine.sharing"

Audience = Callable[[Any], Hashable]
"""Given the context of whoever subscribes: everything on which it depends what is seen. Raises for whoever may not. It
is called again for each member at each event, so it looks only at what is there: it waits for nothing."""


def everybody(_context: Any) -> Hashable:
    """The audience of what is the same for all. Nobody's context is kept for it, and nobody is asked again."""
    return None


@dataclass(frozen=True)
class Rule:
    """What a field declares. `cursor` names the argument with which a client comes back; its values share a group."""

    audience: Audience
    cursor: str


def shared_by(*, audience: Audience, cursor: str = "after") -> dict[str, Rule]:
    """The metadata of a shared field: `strawberry.subscription(..., metadata=shared_by(audience=everybody))`.

    Its resolver returns a `Live`, and neither it nor any resolver below it looks at who is watching.
    """
    return {METADATA: Rule(audience, cursor)}


class Terms(NamedTuple):
    """How one operation is shared: the cursor is the value of a variable, or else `literal`."""

    audience: Audience
    variable: str | None
    literal: str | None

    def cursor(self, prepared: Prepared) -> str | None:
        """The cursor that a client came with."""
        if self.variable is None:
            return self.literal
        found: str | None = prepared.variables.coerced.get(self.variable)
        return found

    def without_cursor(self, prepared: Prepared) -> Prepared:
        """The same operation, as whoever comes without a cursor asks for it; and nothing else that a client said."""
        asked = replace(prepared.asked, extensions=None)
        if self.variable is None:
            return replace(prepared, asked=asked)
        given = prepared.variables
        variables = VariableValues(without(given.sources, self.variable), without(given.coerced, self.variable))
        asked = replace(asked, variables=without(asked.variables or {}, self.variable))
        return replace(prepared, variables=variables, asked=asked)


def terms_of(schema: GraphQLSchema, known: Known, operation: OperationDefinitionNode) -> Terms | None:
    """How a subscription is shared; None where each subscriber has one of its own.

    That is where its field has not opted in, where it is not plainly one field, and where the variable of the cursor
    serves for something else as well.
    """
    field = only_field(operation)
    rule = None if field is None else rule_of(schema, field)
    if field is None or rule is None:
        return None
    value = next((argument.value for argument in field.arguments or () if argument.name.value == rule.cursor), None)
    if not isinstance(value, VariableNode):
        return Terms(rule.audience, None, literal_of(value))
    name = value.name.value
    return Terms(rule.audience, name, None) if uses_of(name, known) == 1 else None


def only_field(operation: OperationDefinitionNode) -> FieldNode | None:
    """The root field, where it stands there by itself."""
    selections = operation.selection_set.selections
    if len(selections) != 1 or not isinstance(selections[0], FieldNode) or selections[0].directives:
        return None
    return selections[0]


def rule_of(schema: GraphQLSchema, node: FieldNode) -> Rule | None:
    """What a field that Strawberry made declares; None where it has not opted in."""
    root = schema.subscription_type
    field = None if root is None else root.fields.get(node.name.value)
    made_of = None if field is None else (field.extensions or {}).get(BACKREF)
    found: Rule | None = (getattr(made_of, "metadata", None) or {}).get(METADATA)
    return found


def literal_of(value: ValueNode | None) -> str | None:
    """The cursor that is written down in the document; None for none, or null."""
    return getattr(value, "value", None)


def uses_of(name: str, known: Known) -> int:
    """How often a variable is used in a document, wherever that is."""

    class Counting(Visitor):
        """Counts, but for definitions."""

        count = 0

        def enter_variable(self, node: VariableNode, _key: Any, parent: Any, *_args: Any) -> None:
            """One more, where it is this one."""
            self.count += node.name.value == name and parent.kind != "variable_definition"

    counting = Counting()
    visit(known.document, counting)
    return counting.count


def without(values: Any, name: str) -> dict[str, Any]:
    """All but one."""
    return {key: value for key, value in values.items() if key != name}
