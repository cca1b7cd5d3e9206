"""Shapes written as Python, compiled, and bound to the objects they use.

Safe by construction: the code sees no builtins but the few that are bound here; every object of the schema is bound by
a name of ours; what is written into the code as text are response keys and type names (GraphQL names, as `repr`), and
attribute names that are plain identifiers. The length of the code is bounded by the reader's budget.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from engine.execution.arguments import Arguments
from engine.execution.classes import Chooser, Guard, ListGuard, TypeGuard
from engine.execution.keeping import Lasting, keep
from engine.execution.leaves import leaf
from engine.execution.shapes import Attribute, Batch, Call, Choice, Items, Leaf, Member, Place, Thing, is_identifier

Compiled = Callable[[Any], Any]

BUILTINS = {"type": type, "str": str, "int": int, "float": float, "getattr": getattr, "__import__": __import__}
"""All that the code sees. The interpreter itself looks for `__import__`, where it has to warn while the code runs."""


@dataclass(frozen=True, eq=False)
class Code:
    """What was written: `make(*values of varying, *collectors of batches)` gives the function, and one for each batch.

    The function takes a parent (or a list) and returns what is answered for it, or raises. A batch's collector is
    called with (parent, answer) for every object that waits for the batch's value; its function completes a value.
    """

    make: Callable[..., tuple[Compiled, tuple[Compiled, ...]]]
    varying: tuple[Arguments, ...]
    batches: tuple[Batch, ...]


class Writer:
    """Writes the code of one plan."""

    def __init__(self) -> None:
        self.names: dict[str, object] = {"__builtins__": dict(BUILTINS), **BUILTINS}
        self.lines: list[str] = []
        self.count = 0
        self.things: dict[Thing, str] = {}
        self.varying: list[tuple[str, Arguments]] = []
        self.batches: list[tuple[str, Batch, str]] = []
        self.anything = Guard()
        self.lists = ListGuard()
        self.lasting = Lasting()
        self.names.update(K=self.anything.known, V=self.anything, L=self.lists.known, W=self.lists)

    def name(self, prefix: str) -> str:
        """A new name."""
        self.count += 1
        return f"{prefix}{self.count}"

    def bind(self, prefix: str, value: object) -> str:
        """A new name for an object."""
        name = self.name(prefix)
        self.names[name] = value
        return name

    def function(self, prefix: str, parameter: str, *body: str) -> str:
        """A new function with those lines."""
        name = self.name(prefix)
        self.lines += [f" def {name}({parameter}):", *(f"  {line}" for line in body)]
        return name

    def value(self, place: Place, value: str) -> str:
        """Code that completes the expression `value` for a place."""
        shape = place.shape
        if isinstance(shape, Leaf):
            return leaf(shape.named, place.nullable, value, self.bind)
        function = self.shape(shape)
        if not place.nullable:
            return f"{function}({value})"
        if value.isidentifier():
            return f"(None if {value} is None else {function}({value}))"
        return f"(None if (x := {value}) is None else {function}(x))"

    def shape(self, shape: Items | Choice | Thing) -> str:
        """The function for what is no leaf."""
        if isinstance(shape, Thing):
            return self.thing(shape)
        if isinstance(shape, Items):
            return self.items(shape.item)
        functions = ", ".join(self.thing(option) for option in shape.options)
        chooser = Chooser(shape.schema, shape.abstract, [option.named for option in shape.options])
        known, ask = self.bind("T", chooser.known), self.bind("N", chooser)
        index = f"i = {known}.get(type(o))"
        return self.function("A", "o", index, f"return ({functions},)[{ask}(o) if i is None else i](o)")

    def items(self, item: Place) -> str:
        """The function for a list."""
        code = self.value(item, "y")
        return self.function("I", "l", "if type(l) not in L: W(l)", f"return [{code} for y in l]")

    def thing(self, thing: Thing) -> str:
        """The function for an object, written once."""
        if thing not in self.things:
            known, guard = "K", "V"
            if thing.named.is_type_of is not None:
                found = TypeGuard(thing.named)
                known, guard = self.bind("K", found.known), self.bind("V", found)
            body, waiting = self.members({member.key: member for member in thing.members})
            test = f"if type(o) not in {known}: {guard}(o)"
            ends = [f"return {body}"]
            if waiting:
                ends = [f"d = {body}", *(f"{one}((o, d))" for one in waiting), "return d"]
            elif thing.kept_in is not None and self.lasting.thing(thing):
                ends = self.kept(thing.kept_in, body)
            self.things[thing] = self.function("O", "o", test, *ends)
        return self.things[thing]

    def kept(self, attribute: str, body: str) -> list[str]:
        """The end of a function for an object that may last: what was written of it, or is written now."""
        plan, write = self.bind("P", object()), self.bind("H", keep)
        return [
            f"w = getattr(o, {attribute!r}, None)",
            f"if w is not None and (r := w.get({plan})) is not None: return r",
            f"d = {body}",
            f"return d if w is None else {write}(w, {plan}, d)",
        ]

    def members(self, members: Mapping[str, Member | None]) -> tuple[str, list[str]]:
        """Code for an object's answer, with null where something is still to come; and the collectors to be told."""
        parts, waiting = [], []
        for key, member in members.items():
            if member is None:
                parts.append(f"{key!r}: None")
            elif isinstance(member.source, Batch):
                waiting.append(self.batch(member.source, member.place))
                parts.append(f"{key!r}: None")
            else:
                parts.append(f"{key!r}: {self.member(member)}")
        return f"{{{', '.join(parts)}}}", waiting

    def member(self, member: Member) -> str:
        """Code for a member of `o`."""
        match member.source, member.place:
            case str(text), _:
                return repr(text)
            case Attribute(name), Place() as place:
                read = f"o.{name}" if is_identifier(name) else f"getattr(o, {self.bind('n', name)})"
                return self.value(place, read)
            case Call() as call, Place() as place:
                return self.value(place, self.call(call))
        raise AssertionError(f"{member.key} has no source")  # the reader makes no such member

    def call(self, call: Call) -> str:
        """Code that calls a pure resolver."""
        function = self.bind("R", call.function)
        passed = []
        if call.takes_parent:
            passed.append("o" if call.parent_name is None else f"{call.parent_name}=o")
        if call.constant is not None:
            passed.append(f"**{self.bind('a', call.constant)}")
        elif call.arguments is not None:
            passed.append(f"**{self.arguments(call.arguments)}")
        return f"{function}({', '.join(passed)})"

    def arguments(self, arguments: Arguments) -> str:
        """The name of a field's arguments: a parameter of the whole, as they may vary from operation to operation."""
        name = self.name("a")
        self.varying.append((name, arguments))
        return name

    def batch(self, batch: Batch, place: Place | None) -> str:
        """The name of a batch's collector."""
        if place is None:
            raise AssertionError(f"{batch.key} has no place")  # the reader makes no such member
        collector, completes = self.name("c"), self.function("B", "y", f"return {self.value(place, 'y')}")
        self.batches.append((collector, batch, completes))
        return collector

    def finish(self, function: str) -> Code:
        """Compile all that was written, `function` being what is called first."""
        parameters = ", ".join([name for name, _ in self.varying] + [name for name, _, _ in self.batches])
        completes = "".join(f"{name}, " for _, _, name in self.batches)
        # Functions within a function, where they share what varies; else beside it, which Python compiles sooner.
        within, beside = (self.lines, []) if parameters else ([], [line[1:] for line in self.lines])
        made = [f"def make({parameters}):", *within, f" return {function}, ({completes})", ""]
        source = "\n".join([*beside, *made])
        exec(compile(source, "<compiled GraphQL>", "exec"), self.names)  # noqa: S102 - what it may hold is said above
        make: Any = self.names["make"]
        return Code(make, tuple(one for _, one in self.varying), tuple(batch for _, batch, _ in self.batches))


def write_list(item: Place) -> Code:
    """Code for the items of a list."""
    writer = Writer()
    return writer.finish(writer.items(item))


def write_members(members: Mapping[str, Member | None]) -> Code:
    """Code for an object that graphql-core has looked at; None are the members that it fills in."""
    writer = Writer()
    body, _ = writer.members(members)
    return writer.finish(writer.function("O", "o", f"return {body}"))


def write_value(place: Place) -> Code:
    """Code for whatever stands at a place."""
    writer = Writer()
    return writer.finish(writer.function("F", "y", f"return {writer.value(place, 'y')}"))
