"""wrk, the load of the wire's figures: one thread on a core of its own, for a few seconds at a time."""

from __future__ import annotations

import re
import shutil
import subprocess
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from bench.client import Unexpected

LOAD_CORE, SERVER_CORE = 1, 0

PATIENCE = 30
"""Seconds that an answer may take: the slowest peer's does, where the machine is busy."""

SAME = """
wrk.method = "POST"
wrk.headers["content-type"] = "application/json"
local file = io.open("{body}", "rb")
wrk.body = file:read("*a")
"""

HOLDS = """
-- Each request holds the next pair of seats, under a key of its own; what is no hold is counted.
-- `unassigned` is said although it is empty: graphql-jit does not know the defaults of input fields.
local lines, at, bad = {{}}, {first}, 0
for line in io.lines("{pairs}") do lines[#lines + 1] = line end
local head, tail = [==[{head}]==], [==[{tail}]==]
local function key()
  return string.format("%08x-%04x-4%03x-8%03x-%012x", math.random(0, 0x7fffffff), math.random(0, 0xffff),
    math.random(0, 0xfff), math.random(0, 0xfff), math.random(0, 0x7fffffff))
end
function init(args) math.randomseed({seed}) end
function request()
  at = at % #lines + 1
  local flight, left, right = lines[at]:match("(%S+) (%S+) (%S+)")
  local body = head .. '"flights":[{{"flightId":"' .. flight .. '","seats":["' .. left .. '","' .. right ..
    '"],"unassigned":[]}}],"minutes":15,"idempotencyKey":"' .. key() .. '"' .. tail
  return wrk.format("POST", "/graphql", {{["content-type"] = "application/json"}}, body)
end
function response(status, headers, body)
  if not body:find('"__typename":"Hold"', 1, true) then bad = bad + 1; refused = bad; last = body end
end
local thread
function setup(one) thread = one end
function done(summary)
  io.write("Refused: " .. (thread:get("refused") or 0) .. "\\n" .. (thread:get("last") or "") .. "\\n")
end
"""


@dataclass(frozen=True)
class Rate:
    """What came of one run: answers a second, and their median and slowest hundredth in milliseconds."""

    a_second: float
    p50: float
    p99: float


def program() -> str:
    """wrk. Raises Unexpected where it is not installed."""
    found = shutil.which("wrk")
    if found is None:
        raise Unexpected("wrk is not installed: `apt install wrk`, or your system's way.")
    return found


def run(url: str, script: Path, seconds: float, clients: int) -> Rate:
    """One run. Raises Unexpected for an answer that is not 200, or none."""
    pin: Sequence[str] = ("taskset", "-c", str(LOAD_CORE)) if shutil.which("taskset") else ()
    options = [f"-c{clients}", f"-d{max(1, round(seconds))}s", f"--timeout={PATIENCE}s", "--latency", "-s", str(script)]
    done = subprocess.run([*pin, program(), "-t1", *options, url], capture_output=True, text=True, check=True)
    refused = re.search(r"Non-2xx|Socket errors|Refused: [1-9]", done.stdout)
    if refused or " 0 requests in " in done.stdout:
        raise Unexpected(f"{url}: {done.stdout[-2000:]}")
    return Rate(
        float(re.findall(r"Requests/sec:\s+([\d.]+)", done.stdout)[0]),
        latency(done.stdout, 50),
        latency(done.stdout, 99),
    )


def latency(output: str, share: int) -> float:
    """A percentile in milliseconds, as wrk prints it."""
    number, unit = re.findall(rf"\s{share}%\s+([\d.]+)(us|ms|s)", output)[0]
    return float(number) * {"us": 0.001, "ms": 1.0, "s": 1000.0}[unit]


def same(place: Path, name: str, body: bytes) -> Path:
    """A script that sends the same body again and again."""
    (place / f"{name}.request").write_bytes(body)
    script = place / f"{name}.lua"
    script.write_text(SAME.format(body=place / f"{name}.request"))
    return script


def holds(place: Path, pairs: Path, document: str, first: int, seed: int) -> Path:
    """A script that holds one pair of seats after the other, from the `first` of them on."""
    script = place / "holds.lua"
    head, tail = f'{{"query":{document},"variables":{{"input":{{', "}}}"
    script.write_text(HOLDS.format(pairs=pairs, head=head, tail=tail, first=first, seed=seed))
    return script
