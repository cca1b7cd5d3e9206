"""What a server has loaded is not walked through again."""

from __future__ import annotations

import gc
from collections.abc import Iterator

import pytest

from core import garbage


@pytest.fixture
def as_before() -> Iterator[None]:
    threshold = gc.get_threshold()
    yield
    gc.unfreeze()
    gc.set_threshold(*threshold)


@pytest.mark.usefixtures("as_before")
def test_what_is_loaded_stays_and_what_is_new_is_looked_at_in_large_lots() -> None:
    garbage.settle()
    assert gc.get_freeze_count() > 0
    assert gc.get_threshold()[0] == 50_000
