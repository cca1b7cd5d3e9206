"""Which answers may be shared: declared at root fields, found for an operation."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import Any, NamedTuple

from graphql import FieldNode, GraphQLField, GraphQLSchema
from graphql.execution.collect_fields import FieldDetails, collect_fields
from graphql.execution.values import get_argument_values

from engine.limits.declared import BACKREF
from engine.operations import Prepared

METADATA = "engine.caching"

Topics = Callable[[Mapping[str, Any]], Iterable[str]]
"""The topics whose facts may change a field's answer, by its arguments under their names in the schema. It may raise
for arguments that mean nothing: then nothing is shared, and the resolver refuses them."""


@dataclass(frozen=True)
class Shared:
    """What is declared of a root field: its answer is the same for everybody of one audience."""

    seconds: float
    """The longest that it is kept, which is also the longest that a change is missed when facts are not told."""
    topics: Topics | None = None


def shared(*, seconds: float, topics: Topics | None = None) -> dict[str, Shared]:
    """The metadata of a root field whose answers may be shared: `strawberry.field(..., metadata=shared(seconds=5))`."""
    return {METADATA: Shared(seconds, topics)}


class Terms(NamedTuple):
    """On what terms the answer to an operation may be kept."""

    seconds: float
    topics: frozenset[str]


def terms_of(schema: GraphQLSchema, prepared: Prepared) -> Terms | None:
    """The terms of an operation; None where one of its root fields has not opted in."""
    query = schema.query_type
    if query is None:
        return None
    known = prepared.known
    collected = collect_fields(schema, known.fragments, prepared.variables, query, prepared.operation)
    seconds, topics = math.inf, set[str]()
    for details in collected.grouped_field_set.values():
        name = details[0].node.name.value
        if name == "__typename":
            continue
        field = query.fields.get(name)
        rule = None if field is None else rule_of(field)
        if field is None or rule is None:
            return None
        told = told_of(rule, field, details[0], prepared)
        if told is None:
            return None
        seconds = min(seconds, rule.seconds)
        topics |= told
    return Terms(seconds, frozenset(topics)) if seconds < math.inf else None


def rule_of(field: GraphQLField) -> Shared | None:
    """What a field that Strawberry made declares; None where it has not opted in."""
    made_of = (field.extensions or {}).get(BACKREF)
    found: Shared | None = (getattr(made_of, "metadata", None) or {}).get(METADATA)
    return found


def told_of(rule: Shared, field: GraphQLField, details: FieldDetails, prepared: Prepared) -> set[str] | None:
    """The topics of one field; None where its arguments mean nothing."""
    if rule.topics is None:
        return set()
    try:
        return set(rule.topics(arguments_of(field, details.node, prepared)))
    except Exception:  # noqa: BLE001 - the resolver meets the same arguments, and tells what is wrong with them
        return None


def arguments_of(field: GraphQLField, node: FieldNode, prepared: Prepared) -> Mapping[str, Any]:
    """The arguments of a field by their names in the schema. Raises GraphQLError."""
    values = get_argument_values(field, node, prepared.variables)
    given = {name: argument.out_name or name for name, argument in field.args.items()}
    return {name: values[out] for name, out in given.items() if out in values}
