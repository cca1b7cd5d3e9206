"""The sandbox's own time: real time plus an offset that tests may only move forward."""

import time

from sandbox.store import Store

_OFFSET = "clock_offset"


def real() -> float:
    """Seconds since the epoch as the machine has them; signatures use this, because receivers check their age."""
    return time.time()


class Clock:
    """Sandbox time in seconds since the epoch; the offset is kept in the store, so it outlives a restart."""

    def __init__(self, store: Store) -> None:
        self._store = store
        self._offset = float(store.setting(_OFFSET) or 0)

    def now(self) -> float:
        """The sandbox's present, in seconds."""
        return real() + self._offset

    def advance(self, seconds: float) -> None:
        """Move time forward by `seconds`; raises ValueError if that would be backwards."""
        if seconds < 0:
            raise ValueError("The sandbox's clock only moves forward.")
        self._offset += seconds
        with self._store.transaction():
            self._store.set_setting(_OFFSET, repr(self._offset))
