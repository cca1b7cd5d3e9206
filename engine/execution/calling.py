"""Async resolvers called as Strawberry calls them, with what is always the same worked out once.

Strawberry finds out for each call how every argument is converted, and chains the extensions anew. A resolver with
anything unusual about it (arguments that an extension reshapes, `Maybe`, a field class of its own) is left to it.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import partial, reduce
from typing import Any, cast

from graphql import GraphQLField, GraphQLSchema
from strawberry.execution import optimized_is_awaitable
from strawberry.extensions.field_extension import FieldExtension, build_field_extension_resolvers
from strawberry.types.arguments import InputContext
from strawberry.types.base import StrawberryMaybe
from strawberry.types.field import StrawberryField
from strawberry.types.unset import UNSET

from engine.execution import trust
from engine.execution.inputs import converter

Resolve = Callable[..., Any]


class Calling:
    """Calls the resolver of one field, as its `resolve` would be called."""

    def __init__(self, made_of: Any, resolver: Resolve, schema: Any) -> None:
        self.made_of = made_of
        self.config = schema.config
        self.registry = schema.schema_converter.scalar_registry
        context = InputContext(info=None, config=self.config, scalar_registry=self.registry, path=())
        self.arguments = [
            (self.config.name_converter.from_argument(one), one.python_name, converter(one.type, context))
            for one in made_of.arguments
        ]
        parents = (made_of.base_resolver.parent_parameter, made_of.base_resolver.root_parameter)
        self.parents = [one.name for one in parents if one is not None]
        extensions: list[Any] = build_field_extension_resolvers(made_of)
        self.chain: Resolve = reduce(lambda inner, outer: partial(outer, inner), extensions, resolver)

    async def __call__(self, source: Any, raw: Any, **given: Any) -> Any:
        """What the resolver answers to coerced arguments; `raw` is graphql-core's info."""
        info = self.config.info_class(_raw_info=raw, _field=self.made_of)
        arguments: dict[str, Any] = {}
        for name, python_name, convert in self.arguments:
            if name in given:
                value = given[name]
                if convert is not None and value is not None and value is not UNSET:
                    value = convert(value, InputContext(info, self.config, self.registry, (name,)))
                arguments[python_name] = value
        for name in self.parents:
            arguments[name] = source
        result = self.chain(source, info, **arguments)
        return await result if optimized_is_awaitable(result) else result


def calling(field: GraphQLField, schema: GraphQLSchema) -> Resolve:
    """What calls the resolver of an async field: Strawberry's own `resolve` where there is anything unusual."""
    usual = cast("Resolve", field.resolve)
    made_of = trust.strawberry_field(field)
    if made_of is None or trust.has_handlers(field) or trust.BACKREF not in schema.extensions:
        return usual
    inner = innermost(made_of)
    reshaped = any(type(one).map_arguments is not FieldExtension.map_arguments for one in made_of.extensions)
    if inner is None or reshaped or any(isinstance(one.type, StrawberryMaybe) for one in made_of.arguments):
        return usual
    return Calling(made_of, inner, schema.extensions[trust.BACKREF])


def innermost(made_of: StrawberryField) -> Resolve | None:
    """The resolver, given the info where it wants that; None where it is not called by names alone."""
    resolver = made_of.base_resolver
    if resolver is None or type(made_of).get_result is not StrawberryField.get_result or resolver.self_parameter:
        return None
    wanted, call = resolver.info_parameter, resolver.wrapped_func
    if not callable(call) or (wanted is not None and wanted.name != "info"):
        return None
    takes_info = wanted is not None

    def resolve(_source: Any, info: Any, **arguments: Any) -> Any:
        if takes_info:
            arguments["info"] = info
        return call(**arguments)

    return resolve
