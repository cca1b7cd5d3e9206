"""The executor: graphql-core's, which runs compiled code wherever it may.

It answers what graphql-core would answer. Compiled code has no side effects; where it meets anything odd its result is
thrown away and graphql-core runs the same object or list, so that errors, paths and nulls are graphql-core's own.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Hashable
from typing import Any, cast

from graphql import GraphQLObjectType, GraphQLResolveInfo
from graphql.pyutils import Path
from strawberry.schema.schema import StrawberryGraphQLCoreExecutionContext

from engine.execution.batches import MISSING, Known, drive, rounds
from engine.execution.plans import DocumentPlans, KnownPlans, Plan, Variant, list_plan, members_plan, value_plan
from engine.execution.shapes import Details, Reader
from engine.execution.straight import known, root_of, straight
from engine.execution.writing import Compiled

NONE_YET = object()


class CompilingExecutor(StrawberryGraphQLCoreExecutionContext):
    """Give it to Strawberry as `execution_context_class`.

    `plans` are the document's, where documents are kept (`execute(..., executor_class=CompilingExecutor, plans=...)`);
    without them the class keeps the plans of the operations used last.
    """

    known_plans = KnownPlans()
    writes = False
    """Whether answers are written by orjson and by nothing else, so that parts of them may be bytes already."""

    def __init__(self, *args: Any, plans: DocumentPlans | None = None, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.operation_plans = (self.known_plans if plans is None else plans).of(self)
        self.begin()

    def begin(self) -> None:
        """Begin an execution: nothing is remembered of another. Middleware sees every field, so nothing is compiled."""
        manager = self.middleware_manager
        watched = manager is not None and bool(manager.middlewares)
        self.variant: Variant | None = None if watched else self.operation_plans.variant(self)
        self.found: dict[tuple[int, int], tuple[Any, Plan | None]] = {}
        self.functions: dict[int, Compiled] = {}
        self.known = Known()

    def build_per_event_executor(self, payload: Any) -> CompilingExecutor:
        """The executor of one event of a subscription.

        graphql-core lets all events share what it remembers of selections, under keys that are new with each event: it
        would grow for as long as the subscription lasts.
        """
        executor = cast("CompilingExecutor", super().build_per_event_executor(payload))
        executor._relevant_sub_fields = {}
        executor.begin()
        return executor

    def execute_operation(self, serially: bool | None = None) -> Any:
        """The result of the operation, or an awaitable of it."""
        variant = self.variant
        if variant is not None and self.abort_signal is None and self.hooks is None:
            if not variant.is_read:
                variant.is_read, variant.root = True, root_of(self)
            if variant.root is not None:
                return straight(self, variant.root)
        return super().execute_operation(serially)

    def execute_fields(
        self,
        parent_type: GraphQLObjectType,
        source_value: Any,
        path: Path | None,
        grouped_field_set: dict[str, Details],
        position_context: Any,
    ) -> Any:
        """An object's fields: compiled, but for those that graphql-core must run."""
        fields = (parent_type, source_value, path)
        plan = self.members_plan(parent_type, grouped_field_set) if self.variant and position_context is None else None
        if plan is None:
            return super().execute_fields(*fields, grouped_field_set, position_context)
        try:
            results = (plan.function or self.function(plan))(source_value)
        except Exception:  # noqa: BLE001 - graphql-core meets it again, and tells it
            return super().execute_fields(*fields, grouped_field_set, position_context)
        if not plan.core:
            return results
        rest = {key: grouped_field_set[key] for key in plan.core}
        others = super().execute_fields(*fields, rest, position_context)
        if self.is_awaitable(others):
            return merged(results, others)
        results.update(others)
        return results

    def complete_iterable_value(
        self,
        item_type: Any,
        field_details_list: Details,
        info: GraphQLResolveInfo[Any],
        path: Path,
        items: Any,
        position_context: Any,
    ) -> Any:
        """A list: compiled where all of it can be, its batch fields asked for all at once."""
        call = (item_type, field_details_list, info, path, items, position_context)
        compiles = self.variant is not None and position_context is None
        plan = self.list_plan(info.parent_type, item_type, field_details_list) if compiles else None
        if plan is None:
            return super().complete_iterable_value(*call)
        try:
            answer = self.compiled(plan, items, path)
        except Exception:  # noqa: BLE001 - graphql-core meets it again, and tells it
            return super().complete_iterable_value(*call)
        return self.batched(answer, call) if self.is_awaitable(answer) else answer

    async def batched(self, answer: Awaitable[Any], call: tuple[Any, ...]) -> Any:
        """What a list with batch fields comes to."""
        try:
            return await answer
        except Exception:  # noqa: BLE001 - graphql-core meets it again, and tells it
            again = super().complete_iterable_value(*call)
        return await again if self.is_awaitable(again) else again

    def execute_field(
        self,
        parent_type: GraphQLObjectType,
        source: Any,
        field_details_list: Details,
        path: Path,
        position_context: Any,
    ) -> Any:
        """A field: with the value that its batch gave, where graphql-core runs a list after its batches were asked."""
        if self.known.values:
            value = self.known.get(source, field_details_list[0].node)
            if value is not MISSING:
                return self.complete_known(parent_type, field_details_list, path, position_context, value)
        return super().execute_field(parent_type, source, field_details_list, path, position_context)

    def complete_known(
        self, parent_type: GraphQLObjectType, details: Details, path: Path, position_context: Any, value: Any
    ) -> Any:
        """Complete a value that need not be resolved, as graphql-core's `execute_field` does."""
        field = parent_type.fields[details[0].node.name.value]
        info = self.build_resolve_info(field, [detail.node for detail in details], parent_type, path)
        try:
            completed = self.complete_value(field.type, details, info, path, value, position_context)
        except Exception as error:  # noqa: BLE001 - graphql-core tells it
            self.handle_field_error(error, field.type, details, path)
            return None
        return self.settled(completed, field.type, details, path) if self.is_awaitable(completed) else completed

    async def complete_awaitable_value(
        self,
        return_type: Any,
        field_details_list: Details,
        info: GraphQLResolveInfo[Any],
        path: Path,
        result: Any,
        position_context: Any,
    ) -> Any:
        """A value that has to be awaited: compiled, where it is a root field's and all of it can be."""
        compiles = self.variant is not None and position_context is None and path.prev is None
        plan = self.value_plan(info.parent_type, return_type, field_details_list) if compiles else None
        if plan is not None:
            try:
                result = await self.with_abort_signal(result)
            except Exception as error:  # noqa: BLE001 - graphql-core tells it
                self.handle_field_error(error, return_type, field_details_list, path)
                return None
            try:
                answer = self.compiled(plan, result, path)
                return await answer if self.is_awaitable(answer) else answer
            except Exception:  # noqa: BLE001 - graphql-core meets it again, and tells it
                result = known(result)
        return await super().complete_awaitable_value(
            return_type, field_details_list, info, path, result, position_context
        )

    async def settled(self, completed: Awaitable[Any], output: Any, details: Details, path: Path) -> Any:
        """The value of a field that had to be awaited; its error is told."""
        try:
            return await completed
        except Exception as error:  # noqa: BLE001 - graphql-core tells it
            self.handle_field_error(error, output, details, path)
            return None

    def compiled(self, plan: Plan, value: Any, path: Path) -> Any:
        """What a plan makes of a value, or an awaitable of it. Raises whatever graphql-core must meet again."""
        if plan.code.batches:
            return drive(rounds(self, plan, value, path, self.known), self.is_awaitable)
        return (plan.function or self.function(plan))(value)

    def function(self, plan: Plan) -> Compiled:
        """A plan's function with this operation's arguments. Raises what their conversion raises."""
        found = self.functions.get(id(plan))
        if found is None:
            values = [arguments.values(self) for arguments in plan.code.varying]
            found = self.functions[id(plan)] = plan.code.make(*values)[0]
        return found

    def members_plan(self, parent: GraphQLObjectType, selected: dict[str, Details]) -> Plan | None:
        """The plan for an object's fields."""
        found = self.found.get((id(selected), 0))
        if found is not None:
            return found[1]
        key = (parent.name, tuple([id(detail.node) for details in selected.values() for detail in details]))
        plan = self.plan(key, lambda reader: members_plan(parent, selected, reader), batches=False)
        self.found[id(selected), 0] = (selected, plan)
        return plan

    def list_plan(self, parent: GraphQLObjectType, item_type: Any, details: Details) -> Plan | None:
        """The plan for a list; the same field may have several, one for each list within a list."""
        place = (id(details), id(item_type))
        found = self.found.get(place)
        if found is not None:
            return found[1]
        key = (parent.name, tuple([id(detail.node) for detail in details]), id(item_type))
        plan = self.plan(key, lambda reader: list_plan(item_type, details, reader), batches=True)
        self.found[place] = (details, plan)
        return plan

    def value_plan(self, parent: GraphQLObjectType, output: Any, details: Details) -> Plan | None:
        """The plan for the whole value of a field."""
        key = (parent.name, tuple([id(detail.node) for detail in details]), "value")
        return self.plan(key, lambda reader: value_plan(output, details, reader), batches=True)

    def plan(self, key: Hashable, read: Callable[[Reader], Plan], *, batches: bool) -> Plan | None:
        """The plan of that key, made where there is none yet; None where there can be none."""
        plans = self.variant.plans if self.variant is not None else {}
        found = plans.get(key, NONE_YET)
        if found is NONE_YET:
            found = plans[key] = self.operation_plans.make(self, read, batches=batches)
        return cast("Plan | None", found)


class WritingExecutor(CompilingExecutor):
    """The same where whoever gets the answers only writes them, with orjson: parts of `data` are `orjson.Fragment`s.

    Of objects that last (`kept_in`) it writes each once. No extension of the schema may read what is answered.
    """

    known_plans = KnownPlans()
    writes = True


async def merged(results: dict[str, Any], others: Awaitable[dict[str, Any]]) -> dict[str, Any]:
    """An object's compiled fields together with those that had to be awaited."""
    results.update(await others)
    return results
