"""Random valid documents for any schema: aliases, fragments nested and repeated, variables, @skip and @include."""

from __future__ import annotations

from random import Random
from typing import Any

from graphql import (
    DocumentNode,
    GraphQLEnumType,
    GraphQLField,
    GraphQLInputObjectType,
    GraphQLList,
    GraphQLNonNull,
    GraphQLObjectType,
    GraphQLSchema,
    GraphQLUnionType,
    NoUnusedVariablesRule,
    OverlappingFieldsCanBeMergedRule,
    get_named_type,
    is_abstract_type,
    is_leaf_type,
    parse,
    specified_rules,
    validate,
)
from graphql.pyutils import Undefined

RULES = [rule for rule in specified_rules if rule is not NoUnusedVariablesRule]


class Document:
    """A document made from a seed, with the values of its variables. Not every one is valid."""

    def __init__(self, schema: GraphQLSchema, seed: int, deepest: int = 5) -> None:
        self.schema = schema
        self.random = Random(seed)
        self.deepest = deepest
        self.fragments: list[tuple[str, str, str]] = []
        body = self.selection(schema.query_type, 0)
        named = " ".join(f"fragment {name} on {on} {text}" for name, on, text in self.fragments)
        self.text = f"query Q($v1: Boolean!, $v2: Boolean = true, $n: Int = 3) {body} {named}"
        self.variables: dict[str, Any] = {"v1": self.random.random() < 0.5}
        if self.random.random() < 0.6:
            self.variables["v2"] = self.random.choice((True, False, True, False, None))
        if self.random.random() < 0.6:
            self.variables["n"] = self.random.choice((1, 5, 13, None))

    def parsed(self) -> DocumentNode | None:
        """The document; None where it is not valid: fields of one key may differ, nothing else can be wrong with it."""
        document = parse(self.text, no_location=False)
        return None if validate(self.schema, document, [OverlappingFieldsCanBeMergedRule], max_errors=1) else document

    def selection(self, named: Any, depth: int) -> str:
        """A selection of a type, in braces."""
        parts = [self.conditional("__typename") for _ in range(self.random.random() < 0.3)]
        if not isinstance(named, GraphQLUnionType):
            fields = list(named.fields.items())
            most = min(len(fields), 5 if depth < 2 else 3)
            for name, field in self.random.sample(fields, self.random.randrange(1, most + 1)):
                parts += self.field(named, name, field, depth)
        if is_abstract_type(named):
            parts += self.options(named, depth)
        if isinstance(named, GraphQLObjectType) and self.random.random() < 0.25:
            parts.append(self.fragment(named, depth + 1))
        return f"{{ {' '.join(parts) or '__typename'} }}"

    def options(self, named: Any, depth: int) -> list[str]:
        """Fragments on the types that an interface or union may be."""
        types = list(self.schema.get_possible_types(named))
        chosen = self.random.sample(types, self.random.randrange(len(types) + 1))
        return [self.fragment(one, depth) for one in chosen]

    def fragment(self, on: GraphQLObjectType, depth: int) -> str:
        """A fragment on a type: a new one, in line or by name, or one that is there already."""
        known = [name for name, of, _ in self.fragments if of == on.name]
        if known and self.random.random() < 0.5:
            return self.conditional(f"...{self.random.choice(known)}")
        text = self.selection(on, depth)
        if self.random.random() < 0.5:
            return f"{self.conditional(f'... on {on.name}')} {text}"
        name = f"F{len(self.fragments)}"
        self.fragments.append((name, on.name, text))
        return self.conditional(f"...{name}")

    def field(self, parent: Any, name: str, field: GraphQLField, depth: int) -> list[str]:
        """A field, now and then twice; nothing where it would lead too deep."""
        output = get_named_type(field.type)
        if not is_leaf_type(output) and depth >= self.deepest:
            return []
        arguments = self.arguments(field)
        # An alias of its own for each type: fields of a union's types may not differ under one key.
        alias = f"{parent.name}_{name}: " if arguments or self.random.random() < 0.85 else ""
        if arguments or self.random.random() < 0.1:
            alias = f"a{self.random.randrange(10**6)}: "
        text = self.conditional(f"{alias}{name}{arguments}")
        if not is_leaf_type(output):
            text += f" {self.selection(output, depth + 1)}"
        return [text] * (2 if self.random.random() < 0.05 else 1)

    def arguments(self, field: GraphQLField) -> str:
        """Arguments of a field: those that it needs, and some of the others."""
        given = []
        for name, argument in field.args.items():
            needed = isinstance(argument.type, GraphQLNonNull) and argument.default_value is Undefined
            if needed or self.random.random() < 0.6:
                given.append(f"{name}: {self.literal(argument.type)}")
        return f"({', '.join(given)})" if given else ""

    def literal(self, output: Any) -> str:
        """A literal of an input type."""
        if isinstance(output, GraphQLNonNull):
            output = output.of_type
        elif self.random.random() < 0.1:
            return "null"
        if isinstance(output, GraphQLList):
            return f"[{', '.join(self.literal(GraphQLNonNull(get_named_type(output))) for _ in range(2))}]"
        if isinstance(output, GraphQLEnumType):
            return str(self.random.choice(list(output.values)))
        if isinstance(output, GraphQLInputObjectType):
            return "{}"
        return {
            "Int": self.random.choice(("1", "3", "13", "$n", "$n", "$n", "$n")),
            "Boolean": "$v1",
            "Float": "1.5",
        }.get(output.name, '"x"')

    def conditional(self, text: str) -> str:
        """The same, now and then with @skip or @include."""
        if self.random.random() < 0.88:
            return text
        condition = self.random.choice(("$v1", "$v2", "true", "false"))
        return f"{text} @{self.random.choice(('skip', 'include'))}(if: {condition})"
