"""The toy server for the tests of the transport, and what they say where there is no Node."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from typing import Any

import httpx
import pytest

from scripts import node
from tests.engine.http.toy import Toy, lane_of, served, toy
from tests.fakes import npm

PEER_SECONDS = 60.0


@pytest.fixture(scope="module", params=["usual", "lane"])
def running(request: pytest.FixtureRequest) -> Iterator[tuple[Toy, str]]:
    """A transport with everything as it is by default, and where it answers: as usual, and in the lane."""
    standing = toy()
    with served(standing.app, lane_of(standing.app) if request.param == "lane" else "auto") as url:
        yield standing, url


@pytest.fixture
def standing(running: tuple[Toy, str]) -> Toy:
    """That transport, of which nothing was asked yet."""
    running[0].watch.forget()
    return running[0]


@pytest.fixture
def url(running: tuple[Toy, str], standing: Toy) -> str:
    """Where it answers; `standing` has forgotten what others asked."""
    del standing
    return running[1]


@pytest.fixture(scope="module")
def client(running: tuple[Toy, str]) -> Iterator[httpx.Client]:
    """A client of it; it accepts the type that the specification wants of clients."""
    headers = {"accept": "application/graphql-response+json"}
    with httpx.Client(base_url=running[1], headers=headers) as client:
        yield client


@pytest.fixture(scope="session")
def peer() -> Callable[[str, str], Any]:
    """Runs a script of tests/peers against a server; what it prints, decoded."""

    def run(script: str, url: str) -> Any:
        return json.loads(node.run(script, url, seconds=PEER_SECONDS))

    npm.installed()
    return run
