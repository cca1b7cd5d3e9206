"""What Jetway counts, for Prometheus. Every label has few values, whatever clients send.

Layers count what they alone know: a service its holds, `schema/` its operations. `/metrics` tells all of it.
"""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Callable, Iterator, Sequence
from itertools import accumulate

from prometheus_client import REGISTRY, Counter, Gauge, Metric
from prometheus_client.core import CounterMetricFamily, HistogramMetricFamily
from prometheus_client.registry import Collector

from core.db import Database

SECONDS = (0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10)
"""Upper bounds of the buckets of every duration."""


class Tallies(Collector):
    """A counter with labels, and a histogram of seconds by one label.

    The library's own cost each request 3 µs, a twentieth of what a cached answer costs altogether; these cost a tenth
    of that, and are put together when they are read.
    """

    def __init__(self, counter: str, told: str, labels: Sequence[str], timer: str, timed: str, timed_by: str) -> None:
        self.counter = (counter, told, labels)
        self.timer = (timer, timed, timed_by)
        self.counts: dict[tuple[str, ...], int] = {}
        self.seconds: dict[str, list[float]] = {}
        """For each thing timed: how many fell into each bucket, the last of which has no bound, and the sum."""
        self.before: Callable[[], None] = lambda: None
        """Called before they are read: whoever counts may be behind."""

    def count(self, key: tuple[str, ...], timed: str, seconds: float | None) -> None:
        """Count one with these labels, which took `seconds`, where that is known."""
        self.counts[key] = self.counts.get(key, 0) + 1
        if seconds is None:
            return
        found = self.seconds.get(timed)
        if found is None:
            found = self.seconds[timed] = [0] * (len(SECONDS) + 2)
        found[bisect_left(SECONDS, seconds)] += 1
        found[-1] += seconds

    def collect(self) -> Iterator[Metric]:
        """All of it, as Prometheus has it."""
        self.before()
        name, told, labels = self.counter
        counted = CounterMetricFamily(name, told, labels=labels)
        for key, count in tuple(self.counts.items()):
            counted.add_metric(key, count)
        name, told, label = self.timer
        took = HistogramMetricFamily(name, told, labels=[label])
        for timed, (*buckets, total) in tuple(self.seconds.items()):
            bounds = [*map(str, map(float, SECONDS)), "+Inf"]
            took.add_metric([timed], list(zip(bounds, accumulate(buckets), strict=True)), total)
        yield counted
        yield took


REQUESTS = Tallies(
    "jetway_http_requests",
    "Answered HTTP requests.",
    ("method", "path", "status"),
    "jetway_http_request_seconds",
    "How long HTTP requests took.",
    "path",
)
REGISTRY.register(REQUESTS)

OPERATIONS = Tallies(
    "jetway_graphql_operations",
    "GraphQL operations by root field and outcome.",
    ("operation", "outcome"),
    "jetway_graphql_operation_seconds",
    "How long queries and mutations took that were executed.",
    "operation",
)
REGISTRY.register(OPERATIONS)
UNEXPECTED = Counter("jetway_unexpected_errors_total", "Errors that were masked: each is a fault of ours.")
SOCKET_OPERATIONS = Gauge(
    "jetway_websocket_operations", "Operations open over WebSocket: subscriptions, and queries while they run."
)

PROBLEMS = Counter("jetway_problems_total", "Mutations answered with a problem, by its code.", ["code"])

GATE_ANSWERS = Counter(
    "jetway_gate_answers_total",
    "Attempts at a hold that a gate saw, by whether it gave them a chance.",
    ["gate", "answer"],
)
BREAKER_OPEN = Gauge("jetway_breaker_open", "1 while a neighbour that failed is left alone, 0 otherwise.", ["breaker"])
BREAKER_FAILURES = Counter("jetway_breaker_failures_total", "Questions that failed or took too long.", ["breaker"])

POOL_IN_USE = Gauge("jetway_database_connections_in_use", "Connections taken from the pool.", ["engine"])
POOL_SIZE = Gauge("jetway_database_connections_limit", "Connections that the pool has at most.", ["engine"])

KNOWN_METHODS = frozenset({"GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"})


def count_request(method: str, path: str, status: int, seconds: float) -> None:
    """Count an answered HTTP request; `path` is a route's template."""
    REQUESTS.count((method if method in KNOWN_METHODS else "other", path, str(status)), path, seconds)


def count_operation(operation: str, outcome: str, seconds: float | None) -> None:
    """Count a GraphQL operation by its root field.

    `seconds` is None for subscriptions, which last as they please, and for what was answered without being executed.
    """
    OPERATIONS.count((operation, outcome), operation, seconds)


def watch_pools(database: Database) -> None:
    """Have the pools of `database` told whenever metrics are read."""
    for name, engine in (("write", database.write_engine), ("read", database.read_engine)):
        pool = engine.pool
        POOL_IN_USE.labels(name).set_function(getattr(pool, "checkedout"))  # noqa: B009 - only queue pools have it
        POOL_SIZE.labels(name).set_function(getattr(pool, "size"))  # noqa: B009
