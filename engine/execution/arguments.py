"""Arguments of compiled fields: coerced by graphql-core and converted by Strawberry, once for each operation."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from graphql import GraphQLField, Visitor, get_named_type, is_input_object_type, visit
from graphql.execution.values import get_argument_values
from graphql.language import VariableNode
from strawberry.types.arguments import convert_arguments

from engine.execution import trust
from engine.execution.trust import Unfit

if TYPE_CHECKING:
    from graphql.execution.executor import Executor

    from engine.execution.shapes import Details


@dataclass(frozen=True, eq=False)
class Arguments:
    """The arguments of a field as it was selected; `varies` where they depend on variables."""

    field: GraphQLField
    details: Details
    varies: bool

    def values(self, executor: Executor[Any], info: Any = None) -> dict[str, Any]:
        """The keyword arguments of the resolver. Raises what graphql-core and Strawberry raise for wrong ones."""
        first = self.details[0]
        coerced = get_argument_values(
            self.field, first.node, executor.variable_values, first.fragment_variable_values, executor.hide_suggestions
        )
        made_of: Any = trust.strawberry_field(self.field)
        schema = executor.schema.extensions[trust.BACKREF]
        return convert_arguments(
            coerced,
            made_of.arguments,
            scalar_registry=schema.schema_converter.scalar_registry,
            config=schema.config,
            info=info,
        )


class FindsVariable(Visitor):
    """Looks for a variable in an argument."""

    found = False

    def enter_variable(self, _node: VariableNode, *_: Any) -> None:
        """There is one."""
        self.found = True


def arguments_of(field: GraphQLField, details: Details, executor: Executor[Any]) -> Arguments | None:
    """The arguments of a selected field; None where it takes none. Raises Unfit where they cannot be converted."""
    if not field.args:
        return None
    if trust.BACKREF not in executor.schema.extensions:
        raise Unfit("the schema is not Strawberry's")
    finder = FindsVariable()
    for argument in details[0].node.arguments or ():
        visit(argument, finder)
    return Arguments(field, details, finder.found)


def constant_of(arguments: Arguments, executor: Executor[Any]) -> dict[str, Any] | None:
    """The values of arguments without an `info`; None where they vary. Raises Unfit where they cannot be had so."""
    if any(is_input_object_type(get_named_type(one.type)) for one in arguments.field.args.values()):
        raise Unfit("an argument is an input object")
    if arguments.varies:
        return None
    try:
        return arguments.values(executor)
    except Exception as error:
        raise Unfit("an argument is in error") from error
