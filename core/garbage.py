"""How a server looks for garbage that refers to itself."""

from __future__ import annotations

import gc

YOUNG = 10_000
"""How many new objects there are before Python looks among them. With its own 700 every crowd of requests, all of whose
objects are in use, would be walked through some thirty times; ten thousand take a millisecond, and some megabytes."""


def settle() -> None:
    """What is loaded by now stays: without this a full collection walks through all of it and stops every request."""
    gc.collect()
    gc.freeze()
    gc.set_threshold(YOUNG)
