"""What graphql-core leaves behind is cleared away where it was made."""

from __future__ import annotations

import gc
from collections.abc import Iterator

import pytest


@pytest.fixture(autouse=True, scope="module")
def nothing_is_left_behind() -> Iterator[None]:
    """Collect a module's garbage before the next one starts: abandoned coroutines warn as they go, there as errors."""
    yield
    gc.collect()
