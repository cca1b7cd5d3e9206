"""The worst documents that the limits let through: what they cost, and what they do to an honest request beside them.

The worst is searched for: documents are made from five numbers, which are changed as long as that makes reading dearer.
"""

from __future__ import annotations

import asyncio
import random
import time
from collections.abc import Callable, Mapping
from contextlib import closing
from dataclasses import asdict, dataclass, replace
from statistics import median
from typing import Any

import uvloop

from bench.client import Connection, request
from bench.laptop import folder, running
from bench.report import figure, table
from engine.documents import Reading
from engine.documents.known import Unfit
from engine.limits import Limits
from engine.limits.tokens import check_text
from schema.build import schema

SIZE = 85_000
TRIES = 9
STEPS, STARTS = 60, 2
"""Of the search: how often a document is changed, and from how many places it begins."""

READING = Reading(schema, Limits(), introspection=False, suggestions=False)
HONEST = request("{ __typename }", {})


def measure() -> str:
    """Search, read in this process, then ask a whole Jetway; told in Markdown."""
    documents = {**known_to_be_bad(), "the worst that was found": worst()}
    with folder() as place, running(place / "home") as laptop:
        beside = uvloop.run(told_beside(laptop.port, documents))
    kilobyte = table(("1 kB", "bytes", "what comes of it", "ms of a core, the first time"), rows(nested()))
    return "\n\n".join((kilobyte, beside))


def nested() -> Mapping[str, str]:
    """Documents of 1 kB with fragments within fragments, and one without any."""
    twice = "".join(f"fragment F{n} on Query{{...F{n + 1} ...F{n + 1}}}" for n in range(27))
    once = "".join(f"fragment F{n} on Query{{...F{n + 1}}}" for n in range(33))
    last = "on Query{__typename}"
    return {
        "each fragment spreads the next twice": f"{{...F0}}{twice}fragment F27 {last}",
        "each fragment spreads the next once": f"{{...F0}}{once}fragment F33 {last}",
        "one fragment, spread 190 times": "{" + "...A " * 190 + "}fragment A " + last,
        "70 inline fragments within each other": "{" + "...on Query{" * 70 + "__typename" + "}" * 70 + "}",
        "60 inline fragments within each other": "{" + "...on Query{" * 60 + "__typename" + "}" * 60 + "}",
        "no fragments": '{flight(id:"x"){' + "designator number departsAt " * 35 + "}}",
    }


def rows(documents: Mapping[str, str]) -> list[list[str]]:
    """What comes of each document, and what that costs."""
    return [[name, f"{len(text.encode()):,}", whole(text), figure(reading(text))] for name, text in documents.items()]


def whole(text: str) -> str:
    """All that is done for a new document before it is executed; what comes of it."""
    too_large = check_text(text, READING.limits)
    found = Unfit([too_large]) if too_large is not None else READING.fresh(text)
    if isinstance(found, Unfit):
        code = (found.errors[0].extensions or {}).get("code", "GRAPHQL_VALIDATION_FAILED")
        return f"{code}{', not parsed' if too_large is not None else ''}"
    for operation in found.operations.values():
        found.formula(operation).measure({})
    return "read"


def reading(text: str, tries: int = TRIES) -> float:
    """Milliseconds of a core that `whole` takes."""
    return spent(lambda: whole(text), tries)


def spent(what: Callable[[], Any], tries: int = TRIES) -> float:
    """Milliseconds of a core that it takes: the least of several times, since others want the core too."""
    least = float("inf")
    for _ in range(tries):
        began = time.thread_time()
        what()
        least = min(least, time.thread_time() - began)
    return least * 1000


SELECTIONS = ("id ", "__typename ", "...on Node{id}", "...on Flight{id}", "...{id}", "...on Flight{...on Node{id}}")


@dataclass(frozen=True)
class Genes:
    """The numbers that a document is made from."""

    operations: int = 20
    variables: int = 18
    fragments: int = 12
    fields: int = 1_900
    selection: int = len(SELECTIONS)

    def text(self) -> str:
        """So many operations that spread the same chain of fragments, and use the same variables in it."""
        declared = "".join(f"$v{number}:Int " for number in range(self.variables))
        used = "".join(f'u{number}:departures(airport:"@",first:$v{number}){{id}}' for number in range(self.variables))
        operations = "".join(f"query Q{number}({declared}){{...F0}}" for number in range(self.operations))
        return operations + "".join(self.fragment(number, used) for number in range(self.fragments))

    def fragment(self, number: int, used: str) -> str:
        """One of the chain; all variables are in the first."""
        spread = f"...F{number + 1}" if number + 1 < self.fragments else ""
        selected = SELECTIONS[self.selection - 1] * self.fields
        return f' fragment F{number} on Query{{{used if number == 0 else ""}{spread} node(id:"@"){{{selected}}}}}'

    def cost(self, tries: int = 1) -> float:
        """Milliseconds of a core to read it; none where it is refused before it is parsed."""
        text = self.text()
        return 0.0 if check_text(text, READING.limits) else reading(text, tries)


def worst() -> str:
    """The worst of several climbs, each to where no change makes it worse, filled up with what is slow to read."""
    chance = random.Random(7)
    text = max((climb(chance) for _ in range(STARTS)), key=lambda genes: genes.cost(5)).text()
    return text.replace('id:"@"', f'id:"@{ESCAPE * ((SIZE - len(text)) // len(ESCAPE))}"', 1)


ESCAPE = r"\n"
"""Of all that may fill a document this takes longest for each byte: graphql-core reads escapes one by one."""


def climb(chance: random.Random) -> Genes:
    """From anywhere, by small steps, upwards."""
    most = asdict(Genes())
    best = Genes(**{name: chance.randint(1, min(limit, 300)) for name, limit in most.items()})
    height = best.cost()
    for _ in range(STEPS):
        name = chance.choice(list(most))
        value = round(asdict(best)[name] * chance.choice((0.5, 0.8, 0.95, 1.05, 1.3, 2))) + chance.choice((-1, 0, 1))
        near = replace(best, **{name: max(1, min(most[name], value))})
        if near.cost() > height and (higher := near.cost(3)) > height:
            best, height = near, higher
    return best


def known_to_be_bad() -> Mapping[str, str]:
    """Documents of 85 kB with as much of one thing as the limits let through; `@` makes each a new one."""
    unknown = " ".join(f"a{number:04}{'x' * 80}" for number in range(970))
    fields = " ".join(["number column position status version extraLegroom"] * 320)
    spreads = " ".join(f"...F{number}" for number in range(120))
    fragments = " ".join(f"fragment F{number} on Seat {{ {'number ' * 9}}}" for number in range(120))
    seats = '{{ flight(id: "@") {{ seatMap {{ cabins {{ rows {{ seats {{ {} }} }} }} }} }} }}'
    texts = {
        "970 fields that there are not": f'{{ flight(id: "@") {{ {unknown} }} }}',
        "1,920 fields": seats.format(fields),
        "120 fragments": f"{seats.format(spreads)} {fragments}",
        "one long string of escapes": f'{{ flight(id: "@{ESCAPE * (SIZE // 2 - 30)}") {{ id }} }}',
    }
    return {name: text.ljust(SIZE) for name, text in texts.items()}


async def told_beside(port: int, documents: Mapping[str, str]) -> str:
    """How long each takes that was never seen before, and honest requests that are sent as long as it is under way."""
    lines = []
    with closing(await Connection.open(port)) as connection:
        alone = [await took(connection, HONEST) for _ in range(TRIES * 20)]
    for name, text in documents.items():
        with closing(await Connection.open(port)) as one, closing(await Connection.open(port)) as other:
            slow: list[float] = []
            beside: list[float] = []
            for number in range(TRIES):
                document = text.replace("@", str(time.time_ns() + number), 1)
                hostile = asyncio.create_task(took(one, request(document, {})))
                while not hostile.done():
                    beside.append(await took(other, HONEST))
                slow.append(hostile.result())
            cost = figure(reading(text))
            lines.append(
                [name, whole(text), cost, *(figure(each) for each in (median(slow), median(beside), max(beside)))]
            )
    lines.append(["nothing", "", "", "", figure(median(alone)), figure(max(alone))])
    return table(HEAD, lines)


HEAD = (
    "85 kB, never seen before",
    "what comes of it",
    "ms of a core to read",
    "answered, ms",
    "honest requests meanwhile, p50, ms",
    "the slowest, ms",
)


async def took(connection: Connection, asked: bytes) -> float:
    """Milliseconds until the answer."""
    began = time.perf_counter()
    await connection.send(asked)
    return (time.perf_counter() - began) * 1000
