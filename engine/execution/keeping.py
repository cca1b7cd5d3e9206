"""Objects that last, and what was written of them: once for each plan, instead of once for each answer.

Only where answers are written by orjson and by nothing else (`WritingExecutor`): what is kept is bytes, put into the
answer as `orjson.Fragment`. They lie in a dictionary of the object's own, so they end with the object.
"""

from __future__ import annotations

from typing import Any

import orjson

from engine.execution.shapes import Batch, Call, Choice, Items, Leaf, Member, Place, Thing

MOST_KEPT = 8
"""For how many plans an object keeps what was written of it; all are forgotten for the next."""


class Lasting:
    """Says which objects are answered alike as long as they are: nothing of them varies, or has to be asked for."""

    def __init__(self) -> None:
        self.known: dict[Thing, bool] = {}

    def thing(self, thing: Thing) -> bool:
        """Whether that is so of an object."""
        found = self.known.get(thing)
        if found is None:
            found = self.known[thing] = all(self.member(member) for member in thing.members)
        return found

    def member(self, member: Member) -> bool:
        """Whether it is so of a member: arguments that vary with variables are in the plan, and not in the object."""
        varies = isinstance(member.source, Batch) or (
            isinstance(member.source, Call) and member.source.arguments is not None
        )
        return not varies and (member.place is None or self.place(member.place))

    def place(self, place: Place) -> bool:
        """Whether it is so of what stands at a place."""
        match place.shape:
            case Leaf():
                return True
            case Items(item):
                return self.place(item)
            case Choice(options=options):
                return all(self.thing(option) for option in options)
            case Thing() as thing:
                return self.thing(thing)


def keep(written: dict[object, Any], plan: object, answer: Any) -> orjson.Fragment:
    """Write an object's answer, and keep it in the object's dictionary. Raises TypeError for what is no JSON."""
    if len(written) >= MOST_KEPT:
        written.clear()
    fragment = written[plan] = orjson.Fragment(orjson.dumps(answer))
    return fragment
