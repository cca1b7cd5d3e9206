"""Clients that people use, against a real server: a query, a mutation, errors, a subscription, and leaving one."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest


@pytest.mark.parametrize("client", ["apollo", "urql", "relay", "sse"])
def test_a_client_works(peer: Callable[[str, str], Any], url: str, client: str) -> None:
    assert peer(f"{client}.mjs", url) == {
        "query": "hello Ada",
        "mutation": 2,
        "partial": ["hello world", "NOT_FOUND"],
        "invalid": "GRAPHQL_VALIDATION_FAILED",
        "subscription": [1, 2, 3],
        "first": 1,
    }
