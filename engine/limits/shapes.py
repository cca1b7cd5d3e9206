"""How large a document is with its fragments spread, by one walk that measures every fragment once.

Nothing is known of the schema here, so that it comes before validation. Fragments are measured innermost first, in an
order that is found without recursion: how deep a chain of fragments is does not matter to us.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from graphql import (
    DirectiveNode,
    DocumentNode,
    FieldNode,
    FragmentDefinitionNode,
    FragmentSpreadNode,
    GraphQLError,
    InlineFragmentNode,
    OperationDefinitionNode,
    SelectionNode,
    SelectionSetNode,
)

from engine.limits.settings import Limits, exceeded
from engine.limits.spreads import Cycle, innermost_first

IN_ORDER = (
    "nesting", "depth", "root_fields", "fields", "aliases", "directives", "directives_per_node", "fragments",
)  # fmt: skip
"""The limits that are held against a shape, in this order."""


@dataclass(slots=True)
class Shape:
    """What a selection set comes to, everything in it included. Numbers may be as large as 2 ** fragments."""

    nesting: int = 1
    depth: int = 0
    root_fields: int = 0
    fields: int = 0
    aliases: int = 0
    directives: int = 0
    directives_per_node: int = 0
    fragments: int = 0

    def directed(self, directives: Sequence[DirectiveNode] | None) -> None:
        """Count the directives of one place."""
        if directives:
            self.directives += len(directives)
            self.directives_per_node = max(self.directives_per_node, len(directives))

    def add(self, inner: Shape, levels: int) -> None:
        """Count what is inside: of a field (`levels` is 1), or of a fragment (0), whose fields stand at this level."""
        self.nesting = max(self.nesting, inner.nesting + 1)
        self.depth = max(self.depth, inner.depth + levels)
        self.root_fields += 0 if levels else inner.root_fields
        self.fields += inner.fields
        self.aliases += inner.aliases
        self.directives += inner.directives
        self.directives_per_node = max(self.directives_per_node, inner.directives_per_node)
        self.fragments += inner.fragments


@dataclass
class Measuring:
    """The walk over one document. A spread of a fragment that is not there counts alone: validation refuses it."""

    definitions: Mapping[str, FragmentDefinitionNode]
    fragments: dict[str, Shape] = field(default_factory=dict)

    def operation(self, node: OperationDefinitionNode) -> Shape:
        """The shape of an operation; its fragments were measured before."""
        shape = self.selection_set(node.selection_set)
        shape.directed(node.directives)
        for variable in node.variable_definitions or ():
            shape.directed(variable.directives)
        return shape

    def fragment(self, name: str) -> None:
        """Measure a fragment; those that it spreads were measured before."""
        node = self.definitions[name]
        self.fragments[name] = self.selection_set(node.selection_set)
        self.fragments[name].directed(node.directives)

    def selection_set(self, node: SelectionSetNode) -> Shape:
        """The shape of a selection set."""
        shape = Shape()
        for selection in node.selections:
            shape.directed(selection.directives)
            self.selection(selection, shape)
        return shape

    def selection(self, node: SelectionNode, shape: Shape) -> None:
        """Add one selection to the shape that it stands in."""
        if isinstance(node, FieldNode):
            shape.fields += 1
            shape.root_fields += 1
            shape.aliases += node.alias is not None
            shape.depth = max(shape.depth, 1)
            if node.selection_set:
                shape.add(self.selection_set(node.selection_set), 1)
        elif isinstance(node, InlineFragmentNode):
            shape.fragments += 1
            shape.add(self.selection_set(node.selection_set), 0)
        elif isinstance(node, FragmentSpreadNode):
            shape.fragments += 1
            inner = self.fragments.get(node.name.value)
            if inner is not None:
                shape.add(inner, 0)


def check_shape(document: DocumentNode, limits: Limits) -> GraphQLError | None:
    """The refusal of a document of which any operation is too large, or whose fragments form a cycle."""
    operations = [node for node in document.definitions if isinstance(node, OperationDefinitionNode)]
    too_many = exceeded(limits, "operations", len(operations))
    if too_many is not None:
        return too_many
    measuring = Measuring(fragments_of(document))
    names = order_of(measuring.definitions)
    if isinstance(names, Cycle):
        return cyclic(names, measuring.definitions)
    for name in names:
        measuring.fragment(name)
    shapes = [measuring.operation(node) for node in operations]
    # Validation walks through fragments that nobody spreads, too.
    return first_exceeded(shapes, list(measuring.fragments.values()), limits)


def first_exceeded(operations: list[Shape], fragments: list[Shape], limits: Limits) -> GraphQLError | None:
    """The first limit that any of the shapes exceeds."""
    for name in IN_ORDER:
        shapes = operations if name == "root_fields" else operations + fragments
        too_large = exceeded(limits, name, max((getattr(shape, name) for shape in shapes), default=0))
        if too_large is not None:
            return too_large
    return None


def fragments_of(document: DocumentNode) -> dict[str, FragmentDefinitionNode]:
    """The fragments of a document by their names."""
    return {node.name.value: node for node in document.definitions if isinstance(node, FragmentDefinitionNode)}


def order_of(definitions: Mapping[str, FragmentDefinitionNode]) -> list[str] | Cycle:
    """The names of the fragments, each after those that it spreads; or a cycle among them."""
    return innermost_first(
        {name: [one.name.value for one in spreads_in(node.selection_set)] for name, node in definitions.items()}
    )


def cyclic(cycle: Cycle, definitions: Mapping[str, FragmentDefinitionNode]) -> GraphQLError:
    """The refusal of fragments that form a cycle, at the spread that closes it."""
    spreads = spreads_in(definitions[cycle.inside].selection_set)
    closing = next(spread for spread in spreads if spread.name.value == cycle.fragment)
    return GraphQLError(f"Cannot spread fragment '{cycle.fragment}' within itself.", closing)


def spreads_in(node: SelectionSetNode) -> list[FragmentSpreadNode]:
    """Every spread in a selection set and in what is inside it."""
    found: list[FragmentSpreadNode] = []
    waiting = [node]
    while waiting:
        for selection in waiting.pop().selections:
            if isinstance(selection, FragmentSpreadNode):
                found.append(selection)
            elif isinstance(selection, FieldNode | InlineFragmentNode) and selection.selection_set:
                waiting.append(selection.selection_set)
    return found
