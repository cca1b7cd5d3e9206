"""The fuzz is worth something: a fault put into the executor is found."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import replace
from typing import Any

import pytest

from engine.execution import arguments, batches, classes, leaves, plans, shapes, trust, writing
from tests.engine.execution.fuzz.campaign import LEFT_BEHIND, Tried, nasty_cases

pytestmark = LEFT_BEHIND

Patch = pytest.MonkeyPatch


def large_integers_pass(patch: Patch) -> None:
    patch.setitem(leaves.USUAL, "Int", "type({x}) is int")


def what_is_not_a_number_passes(patch: Patch) -> None:
    patch.setitem(leaves.USUAL, "Float", "type({x}) is float")


def truth_is_taken_for_a_boolean(patch: Patch) -> None:
    patch.setitem(leaves.USUAL, "Boolean", "{x} == True or {x} == False")


def null_stands_anywhere(patch: Patch) -> None:
    long_way = leaves.long_way
    patch.setattr(leaves, "long_way", lambda named, _nullable, guard: long_way(named, True, guard))


def anything_is_a_list(patch: Patch) -> None:
    patch.setattr(classes.ListGuard, "__call__", lambda _self, _value: None)


def anything_is_an_object(patch: Patch) -> None:
    patch.setattr(classes.Guard, "__call__", lambda _self, _value: None)


def types_are_not_checked(patch: Patch) -> None:
    patch.setattr(classes.TypeGuard, "__call__", lambda _self, _value: None)


def casts_are_ignored(patch: Patch) -> None:
    patch.setattr(classes, "is_cast", lambda _value: False)


def enums_go_by_their_python_names(patch: Patch) -> None:
    members_of = leaves.members_of

    def renamed(named: Any) -> Any:
        found = members_of(named)
        return None if found is None else (found[0], {name: name for name in found[1]})

    patch.setattr(leaves, "members_of", renamed)


def extensions_are_ignored(patch: Patch) -> None:
    def attribute_of(field: Any) -> str | None:
        made_of = trust.strawberry_field(field)
        return made_of.python_name if made_of is not None and made_of.base_resolver is None else None

    patch.setattr(trust, "attribute_of", attribute_of)


def conditions_are_forgotten(patch: Patch) -> None:
    patch.setattr(plans, "conditions", lambda _executor: ())


def arguments_are_those_of_the_first(patch: Patch) -> None:
    constant_of = arguments.constant_of
    patch.setattr(shapes, "constant_of", lambda found, executor: constant_of(replace(found, varies=False), executor))


def fields_are_not_merged(patch: Patch) -> None:
    selected = shapes.Reader.selected
    patch.setattr(shapes.Reader, "selected", lambda self, named, details: selected(self, named, details[:1]))


def keys_come_in_another_order(patch: Patch) -> None:
    members = writing.Writer.members

    def without_the_rest(self: Any, found: Any) -> Any:
        return members(self, {key: member for key, member in found.items() if member is not None})

    patch.setattr(writing.Writer, "members", without_the_rest)


def errors_of_batches_are_nulls(patch: Patch) -> None:
    def complete(asked: Any, values: Any) -> None:
        for (_, answer), value in zip(asked.waiting, values, strict=True):
            answer[asked.batch.key] = None if isinstance(value, Exception) else asked.completes(value)

    patch.setattr(batches, "complete", complete)


def batches_are_in_disorder(patch: Patch) -> None:
    whole = batches.whole
    patch.setattr(batches, "whole", lambda asked, given: whole(asked, given)[::-1])


FAULTS: dict[Callable[[Patch], None], int] = {
    large_integers_pass: 4,
    what_is_not_a_number_passes: 28,
    truth_is_taken_for_a_boolean: 0,
    null_stands_anywhere: 9,
    anything_is_a_list: 0,
    anything_is_an_object: 38,
    types_are_not_checked: 1,
    casts_are_ignored: 28,
    enums_go_by_their_python_names: 1,
    extensions_are_ignored: 26,
    conditions_are_forgotten: 0,
    arguments_are_those_of_the_first: 19,
    fields_are_not_merged: 0,
    keys_come_in_another_order: 1,
    errors_of_batches_are_nulls: 15,
    batches_are_in_disorder: 24,
}
"""Each with the first schema to look in: that finds it sooner."""


def many(first: int) -> Iterator[Tried]:
    """More cases than any fault should need."""
    for seed in range(first, first + 150):
        yield from nasty_cases(seed, 8)


@pytest.mark.parametrize("fault", FAULTS, ids=lambda fault: fault.__name__)
async def test_a_fault_is_found(fault: Callable[[Patch], None], monkeypatch: Patch) -> None:
    fault(monkeypatch)
    for tried in many(FAULTS[fault]):
        if await tried.case.difference() is not None:
            return
    pytest.fail("The fuzz does not find this fault.")
