"""Batch fields at work: compiled lists whose objects wait for values that are asked for all at once.

Round by round: every batch that has objects waiting is asked once for all of them, the values are completed by compiled
code, and new objects among them may wait in their turn. What was answered is kept in `Known` where a list has to be run
by graphql-core after all, so that nothing is asked twice and each error stands in its exact place.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Generator, Sequence
from dataclasses import dataclass
from typing import Any

from graphql.execution.executor import Executor
from graphql.pyutils import Path

from engine.execution import trust
from engine.execution.classes import Odd
from engine.execution.plans import Plan
from engine.execution.shapes import Batch
from engine.execution.writing import Compiled

Waiting = list[tuple[Any, dict[str, Any]]]
Rounds = Generator[list[Any], list[Any], Any]
"""Yields what batches returned (values, or awaitables of values); is sent the values; returns the list's answer."""

MISSING = object()


class Known:
    """Values of batch fields by parent and field, for the lists that graphql-core runs."""

    def __init__(self) -> None:
        self.values: dict[tuple[int, int], tuple[Any, Any]] = {}

    def get(self, parent: Any, node: object) -> Any:
        """The value, or exception, of a field of that parent; MISSING where it was not asked for."""
        found = self.values.get((id(parent), id(node)))
        return MISSING if found is None else found[1]

    def keep(self, parent: Any, node: object, value: Any) -> None:
        """Remember one. The parent is kept too, so that its identity stays its own."""
        self.values[id(parent), id(node)] = (parent, value)


@dataclass
class Asked:
    """One batch in one round: the parents it was asked for, with their answers, and what it gave."""

    batch: Batch
    completes: Compiled
    waiting: Waiting
    known: list[Any]

    @property
    def parents(self) -> list[Any]:
        """Those whose value is not known yet."""
        return [parent for (parent, _), value in zip(self.waiting, self.known, strict=True) if value is MISSING]


def rounds(executor: Executor[Any], plan: Plan, items: Any, path: Path, known: Known) -> Rounds:
    """Run a list's plan. Raises Odd, or anything else, where graphql-core must run the list; `known` is filled then."""
    collected: list[Waiting] = [[] for _ in plan.code.batches]
    varying = [arguments.values(executor) for arguments in plan.code.varying]
    function, completers = plan.code.make(*varying, *(one.append for one in collected))
    done: list[tuple[Asked, list[Any]]] = []
    try:
        answer = function(items)
        while any(collected):
            asked = [take(*one, known) for one in zip(plan.code.batches, completers, collected, strict=True) if one[2]]
            given = yield [ask(one, executor, path) for one in asked]
            done += [(one, whole(one, values)) for one, values in zip(asked, given, strict=True)]
            for one, values in done[-len(asked) :]:
                complete(one, values)
    except Exception:
        for one, values in done:
            for (parent, _), value in zip(one.waiting, values, strict=True):
                known.keep(parent, one.batch.details[0].node, value)
        raise
    return answer


def take(batch: Batch, completes: Compiled, collected: Waiting, known: Known) -> Asked:
    """Those that wait for a batch now; the collector is empty afterwards."""
    waiting = collected[:]
    collected.clear()
    node = batch.details[0].node
    return Asked(batch, completes, waiting, [known.get(parent, node) for parent, _ in waiting])


def ask(asked: Asked, executor: Executor[Any], path: Path) -> Any:
    """What the batch returns for the parents whose values are not known: values, an exception, or an awaitable."""
    batch, parents = asked.batch, asked.parents
    if not parents:
        return []
    try:
        made_of: Any = trust.strawberry_field(batch.field)
        nodes = [detail.node for detail in batch.details]
        raw = executor.build_resolve_info(batch.field, nodes, batch.parent, path.add_key(batch.key, batch.parent.name))
        info = executor.schema.extensions[trust.BACKREF].config.info_class(_raw_info=raw, _field=made_of)
        arguments = batch.arguments.values(executor, info) if batch.arguments is not None else {}
        return batch.many(parents, info, **arguments)
    except Exception as error:  # noqa: BLE001 - it is told as the error of each of the fields
        return error


def whole(asked: Asked, given: Any) -> list[Any]:
    """A value for each that waits: those that were known, and those that were given."""
    count = len(asked.parents)
    if isinstance(given, Exception):
        given = [given] * count
    elif not isinstance(given, Sequence) or len(given) != count:
        name = f"{asked.batch.parent.name}.{asked.batch.details[0].node.name.value}"
        given = [TypeError(f"The batch of {name} did not return {count} values in a sequence.")] * count
    fresh = iter(given)
    return [next(fresh) if value is MISSING else value for value in asked.known]


def complete(asked: Asked, values: Sequence[Any]) -> None:
    """Put the completed values where they belong. Raises Odd, or anything else, for one that cannot be completed."""
    key, completes = asked.batch.key, asked.completes
    for (_, answer), value in zip(asked.waiting, values, strict=True):
        if isinstance(value, Exception):
            raise Odd
        answer[key] = completes(value)


def drive(steps: Rounds, is_awaitable: Callable[[Any], bool]) -> Any:
    """Go through the rounds: at once where nothing has to be awaited, otherwise as a coroutine."""
    try:
        given = next(steps)
        while not any(map(is_awaitable, given)):
            given = steps.send(given)
    except StopIteration as end:
        return end.value
    return drive_on(steps, given, is_awaitable)


async def drive_on(steps: Rounds, given: list[Any], is_awaitable: Callable[[Any], bool]) -> Any:
    """Go through the remaining rounds."""
    try:
        while True:
            given = steps.send(await everything(given, is_awaitable))
    except StopIteration as end:
        return end.value


async def everything(given: list[Any], is_awaitable: Callable[[Any], bool]) -> list[Any]:
    """The values of all, those to be awaited beside each other; an exception stands for what failed."""
    waiting = [index for index, one in enumerate(given) if is_awaitable(one)]
    outcomes = [outcome(given[index]) for index in waiting]
    values = [await outcomes[0]] if len(outcomes) == 1 else await asyncio.gather(*outcomes)
    for index, value in zip(waiting, values, strict=True):
        given[index] = value
    return given


async def outcome(awaitable: Awaitable[Any]) -> Any:
    """Its value, or the exception that it ended with."""
    try:
        return await awaitable
    except Exception as error:  # noqa: BLE001 - it is told as the error of each of the fields
        return error
