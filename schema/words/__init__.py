"""What the members of enums, the fields of inputs and the arguments of fields mean, in words for clients.

Enums belong to the tables and inputs to the services, which know no GraphQL and so cannot carry these themselves.
`tests/contracts` finds whatever has no words; words that stand for nothing raise when the schema is built.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import cast

from graphql import GraphQLEnumType, GraphQLField, GraphQLInputObjectType, GraphQLObjectType, GraphQLSchema

from schema.words import changes, fraud, members, paying, refusals, shares, travel
from schema.words.members import TYPES

MEMBERS: Mapping[str, Mapping[str, str]] = {
    **members.MEMBERS,
    **changes.MEMBERS,
    **fraud.MEMBERS,
    **paying.MEMBERS,
    **refusals.MEMBERS,
    **shares.MEMBERS,
    **travel.MEMBERS,
}
ARGUMENTS: Mapping[str, Mapping[str, str]] = {
    **members.ARGUMENTS,
    **fraud.ARGUMENTS,
    **paying.ARGUMENTS,
    **shares.ARGUMENTS,
    **travel.ARGUMENTS,
}


def describe(schema: GraphQLSchema) -> None:
    """Put the words where they belong; raises KeyError for words about what the schema has not."""
    for name, words in TYPES.items():
        schema.type_map[name].description = words
    for name, said in MEMBERS.items():
        owner = cast("GraphQLEnumType | GraphQLInputObjectType", schema.type_map[name])
        described = owner.values if isinstance(owner, GraphQLEnumType) else owner.fields
        for member, words in said.items():
            described[member].description = words
    for path, arguments in ARGUMENTS.items():
        name, _, field = path.partition(".")
        for argument, words in arguments.items():
            fields_of(schema, name)[field].args[argument].description = words
    for mutation in fields_of(schema, "Mutation").values():
        mutation.args["input"].description = "What is asked for."


def fields_of(schema: GraphQLSchema, name: str) -> dict[str, GraphQLField]:
    """The fields of an object type."""
    fields: dict[str, GraphQLField] = cast("GraphQLObjectType", schema.type_map[name]).fields
    return fields
