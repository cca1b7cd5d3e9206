"""A document as it is kept: parsed, found valid and within the limits, with what was made of it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from graphql import DocumentNode, FragmentDefinitionNode, GraphQLError, GraphQLSchema, OperationDefinitionNode
from graphql.execution.collect_fields import FragmentDetails

from engine.errors import BAD_REQUEST, VALIDATION_FAILED, Refusal, refusal
from engine.limits.formulas import Formula, Writing
from engine.variables import Variables

LONGEST_NAME = 100
"""Of a name that is told back to whoever sent it."""


@dataclass(eq=False)
class Known:
    """A valid document. It and all that is made of it live and die together."""

    text: str
    sha256: str
    document: DocumentNode
    definitions: Mapping[str, FragmentDefinitionNode]
    """Its fragments by their names."""

    writing: Writing
    plans: Any = None
    """The executor's: what it compiled of this document."""

    operations: dict[str, OperationDefinitionNode] = field(init=False)
    fragments: dict[str, FragmentDetails] = field(init=False)
    formulas: dict[int, Formula] = field(init=False, default_factory=dict)
    variables: dict[int, Variables] = field(init=False, default_factory=dict)

    def __post_init__(self) -> None:
        operations = [node for node in self.document.definitions if isinstance(node, OperationDefinitionNode)]
        self.operations = {node.name.value if node.name else "": node for node in operations}
        self.fragments = {name: FragmentDetails(node, None) for name, node in self.definitions.items()}

    def operation(self, name: str | None) -> OperationDefinitionNode:
        """The operation of that name; the only one, without a name. Raises Refusal (GraphQL, section 6.1)."""
        if name:
            found = self.operations.get(name)
            if found is None:
                raise refusal(f"The document has no operation named {name[:LONGEST_NAME]!r}.", BAD_REQUEST)
            return found
        if len(self.operations) != 1:
            problem = "several operations: send operationName" if self.operations else "no operation"
            raise refusal(f"The document has {problem}.", VALIDATION_FAILED if self.operations else BAD_REQUEST)
        return next(iter(self.operations.values()))

    def variables_of(self, operation: OperationDefinitionNode, schema: GraphQLSchema) -> Variables:
        """What coerces an operation's variables."""
        found = self.variables.get(id(operation))
        if found is None:
            found = self.variables[id(operation)] = Variables(schema, operation)
        return found

    def formula(self, operation: OperationDefinitionNode) -> Formula:
        """The formula of an operation's cost."""
        found = self.formulas.get(id(operation))
        if found is None:
            found = self.formulas[id(operation)] = self.writing.formula(operation)
        return found


@dataclass(frozen=True, eq=False)
class Unfit:
    """A text that is no valid document within the limits, and why."""

    errors: Sequence[GraphQLError]

    def refusal(self) -> Refusal:
        """What is raised for it."""
        return Refusal(self.errors)
