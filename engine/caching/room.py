"""A room of so many bytes: what was not used since it was last looked at goes first (the clock algorithm)."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Callable
from typing import Generic, Protocol, TypeVar


class Occupant(Protocol):
    """What a room keeps. Whoever uses it sets `used`, which is all that a use costs."""

    used: bool
    weight: int


K = TypeVar("K")
V = TypeVar("V", bound=Occupant)


class Room(Generic[K, V]):
    """Occupants by key. Those that must leave are told to `gone`."""

    def __init__(self, weight: int, gone: Callable[[V], None] | None = None) -> None:
        self.most = weight
        self.weight = 0
        self.gone = gone
        self.occupants: OrderedDict[K, V] = OrderedDict()
        self.get = self.occupants.get

    def __len__(self) -> int:
        return len(self.occupants)

    def put(self, key: K, occupant: V) -> bool:
        """Let one in, in place of what was there; False where it is larger than an eighth of the room."""
        self.pop(key)
        if occupant.weight * 8 > self.most:
            return False
        self.occupants[key] = occupant
        self.weight += occupant.weight
        while self.weight > self.most:
            self._make_room()
        return True

    def pop(self, key: K) -> V | None:
        """Let one go, which `gone` is not told."""
        found = self.occupants.pop(key, None)
        if found is not None:
            self.weight -= found.weight
        return found

    def clear(self) -> None:
        """Let all go, which `gone` is not told."""
        self.occupants.clear()
        self.weight = 0

    def _make_room(self) -> None:
        """Let the next one go that was not used since it was passed over last."""
        key, occupant = next(iter(self.occupants.items()))
        if occupant.used:
            occupant.used = False
            self.occupants.move_to_end(key)
            return
        self.pop(key)
        if self.gone is not None:
            self.gone(occupant)
