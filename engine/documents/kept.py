"""A bounded memory of what was used last, by number and by weight."""

from __future__ import annotations

from collections import OrderedDict
from typing import Generic, TypeVar

K = TypeVar("K")
V = TypeVar("V")


class Kept(Generic[K, V]):
    """Keeps `most` values, and no more than `weight` altogether; those used longest ago go first.

    What was used twice outlives what was used once: a flood of keys that never come again does not drive it out. It may
    have four fifths of the room.
    """

    def __init__(self, most: int, weight: int) -> None:
        self.most = most
        self.weight = weight
        self.once: OrderedDict[K, tuple[V, int]] = OrderedDict()
        self.again: OrderedDict[K, tuple[V, int]] = OrderedDict()
        self.weighs = {"once": 0, "again": 0}

    def __len__(self) -> int:
        return len(self.once) + len(self.again)

    def get(self, key: K) -> V | None:
        """The value, which counts as a use; None where it is not kept."""
        found = self.again.get(key)
        if found is not None:
            self.again.move_to_end(key)
            return found[0]
        found = self.once.pop(key, None)
        if found is None:
            return None
        self.weighs["once"] -= found[1]
        self.again[key] = found
        self.weighs["again"] += found[1]
        self._bound("again", self.again, self.most * 4 // 5, self.weight * 4 // 5)
        return found[0]

    def put(self, key: K, value: V, weight: int = 1) -> None:
        """Keep a value; one that alone weighs more than may be kept is let go."""
        self.drop(key)
        self.once[key] = (value, weight)
        self.weighs["once"] += weight
        self._bound("once", self.once, self.most - len(self.again), self.weight - self.weighs["again"])

    def drop(self, key: K) -> None:
        """Keep the value no longer."""
        for name, values in (("once", self.once), ("again", self.again)):
            found = values.pop(key, None)
            if found is not None:
                self.weighs[name] -= found[1]

    def _bound(self, name: str, values: OrderedDict[K, tuple[V, int]], most: int, weight: int) -> None:
        while values and (len(values) > most or self.weighs[name] > weight):
            _, (_, weighed) = values.popitem(last=False)
            self.weighs[name] -= weighed
