"""A server for all tests that need nothing special, and other people's clients."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.engine.http.conftest import peer
from tests.engine.websockets.toy import Serving, Toy, served, toy

__all__ = ["peer"]


@pytest.fixture(scope="module")
def standing() -> Toy:
    """A transport with everything as it is by default, but patient with slow machines and quick tests."""
    return toy(init_seconds=60.0, operations_burst=10_000, messages_burst=100_000)


@pytest.fixture(scope="module")
def serving(standing: Toy) -> Iterator[Serving]:
    """A server of that one."""
    with served(standing) as serving:
        yield serving
