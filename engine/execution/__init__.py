"""Compiled execution: what is plain in an answer is made by generated Python, the rest by graphql-core.

Switch it on with `strawberry.Schema(..., execution_context_class=CompilingExecutor)`; or, where documents are kept,
give each document a `DocumentPlans` and the executor that as `plans=`. Answers do not change, only their time: 10 to 20
times less for what compiles (`python -m bench execution`). What is not compiled, and why, says `explain(schema, text)`.

What compiles: fields without a resolver (read by `getattr`), `__typename`, and pure resolvers; objects, lists,
interfaces and unions of such; enums; scalars of the specification, Strawberry's, and those whose `serialize` is pure.
Never a field with an extension or permission. An operation is left alone as a whole where it has other directives than
@skip and @include, or where an extension of the schema watches every field. Mark what is pure where the schema
attaches it:

    total = strawberry.field(resolver=pure(total), graphql_type=Money)         # a plain function of its parent
    Decimal: strawberry.scalar(name="Decimal", serialize=pure(shown), ...)     # always the same from the same
    is_type_of = by_class(models.Airport)                                      # rows that are no Strawberry types

A batch field is resolved once for all objects of a list, wherever in the list they lie, instead of once for each; and
once for all below a root field that is awaited and compiles whole. It is declared beside the ordinary resolver, which
still answers elsewhere, and must say the same:

    async def seats_left(root: strawberry.Parent[Flight], info: Info, cabin: Cabin) -> int: ...

    async def seats_left_of_all(roots: Sequence[Flight], info: Info, cabin: Cabin) -> Sequence[int | Exception]: ...

    seats_left = strawberry.field(resolver=batched(seats_left_of_all)(seats_left), graphql_type=int)

An exception in a place is that object's error; one that is raised is everybody's. `info.path` is that of the list.

A resolver whose value is often at hand, without waiting, is declared beside a pure companion that says it, or raises
where it does not know. `only` names the fields of the value that the companion knows:

    flight = strawberry.field(resolver=at_hand(key_of, only=("id",))(flight), graphql_type=Flight)

Where an answer is only ever written as JSON by orjson (`engine.operations` does nothing else with it), give it to
`WritingExecutor`: objects that last, such as the seats of a hall that nobody has taken, are written once for each plan,
not once for each answer. A type says under which attribute its objects keep that, in a dictionary of their own:

    @kept_in("written")
    @strawberry.type
    class Seat: ...

`quicken(schema)` is for the arguments: input objects are made in a fifth of the time.

What it takes for granted, and cannot see: reading an attribute changes nothing; a pure function is pure; `is_type_of`
made by `by_class`, and Strawberry's own, decide by class (and `strawberry.cast`); whether an object is awaitable is a
matter of its class. Everything else is looked at, and handed to graphql-core where it is not as it should be.
"""

from engine.execution.executor import CompilingExecutor, WritingExecutor
from engine.execution.explaining import Explained, How, explain
from engine.execution.inputs import quicken
from engine.execution.marks import at_hand, batched, by_class, kept_in, pure
from engine.execution.plans import DocumentPlans

__all__ = [
    "CompilingExecutor",
    "DocumentPlans",
    "Explained",
    "How",
    "WritingExecutor",
    "at_hand",
    "batched",
    "by_class",
    "explain",
    "kept_in",
    "pure",
    "quicken",
]
