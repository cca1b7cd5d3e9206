"""How a server looks for garbage that refers to itself."""

from __future__ import annotations

import gc

YOUNG = 50_000
"""How many new objects there are before Python looks among them. With its own 700 a crowd of requests, whose objects
are all in use, would be walked through some thirty times. So many take some milliseconds, seldom, and megabytes."""


def settle() -> None:
    """What is loaded by now stays: without this a full collection walks through all of it and stops every request."""
    gc.collect()
    gc.freeze()
    gc.set_threshold(YOUNG)
