"""Other people's clients, compilers and audits, from npm, for the tests: found, or installed where that can be.

    python -m scripts.node                installs what tests/peers/package.json pins into .make/peers,
                                          and tests/peers/compilers/package.json into .make/compilers
    JETWAY_NODE=required ...              fails where that cannot be; without it only says so, loudly

Versions are exact, no script of a package is run, and nothing is downloaded again until a package.json changes.
"""

from __future__ import annotations

import fcntl
import functools
import hashlib
import os
import shutil
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
PEERS = ROOT / "tests" / "peers"
FOLDER = ROOT / ".make" / "peers"
COMPILERS = PEERS / "compilers"
COMPILED = ROOT / ".make" / "compilers"
OLDEST = 18
INSTALL_SECONDS = 240
UNTESTED = """*** NOT TESTED: the audits of graphql-http; Apollo Client, urql, Relay, graphql-sse and graphql-ws against
our server; relay-compiler and graphql-codegen over our schema. {reason} ***"""


class Absent(Exception):
    """The clients cannot be had here; the message says why."""


def required() -> bool:
    """Whether those tests must run, as they must in CI."""
    return os.environ.get("JETWAY_NODE", "") == "required"


def run(script: str, *arguments: str, seconds: float) -> str:
    """What a script of tests/peers prints; its faults go to stderr. Raises Absent, or CalledProcessError."""
    folder = installed()
    for file in PEERS.glob("*.mjs"):  # beside node_modules, since Node looks for packages where the script is
        copy = folder / f"{file.name}.{os.getpid()}"
        shutil.copyfile(file, copy)
        copy.replace(folder / file.name)
    command = [node(), script, *arguments]
    return subprocess.run(command, cwd=folder, check=True, stdout=subprocess.PIPE, text=True, timeout=seconds).stdout


@functools.cache
def installed(peers: Path = PEERS, folder: Path = FOLDER) -> Path:
    """The folder that has the packages which `peers` pins, once they are installed. Raises Absent."""
    node()
    folder.mkdir(parents=True, exist_ok=True)
    with (folder / "lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        wanted = hashlib.sha256((peers / "package.json").read_bytes()).hexdigest()
        stamp = folder / "installed"
        if not stamp.exists() or stamp.read_text() != wanted:
            install(peers, folder)
            stamp.write_text(wanted)
    return folder


def node() -> str:
    """The path of a Node that is new enough. Raises Absent."""
    path = shutil.which("node")
    if path is None:
        raise Absent("Node is not installed")
    version = subprocess.run([path, "--version"], capture_output=True, text=True, check=False).stdout.strip()
    major = version.removeprefix("v").partition(".")[0]
    if not major.isdigit() or int(major) < OLDEST:
        raise Absent(f"Node {OLDEST} or newer is needed, not {version or path}")
    return path


def install(peers: Path, folder: Path) -> None:
    """Install what the package.json of `peers` says into `folder`, from nothing. Raises Absent."""
    npm = shutil.which("npm")
    if npm is None:
        raise Absent("npm is not installed")
    print(f"Installing what {peers.relative_to(ROOT)} needs from npm …", file=sys.stderr, flush=True)
    shutil.rmtree(folder / "node_modules", ignore_errors=True)
    shutil.copyfile(peers / "package.json", folder / "package.json")
    quiet = ["--no-audit", "--no-fund", "--no-progress", "--loglevel=error", "--fetch-retries=1", "--prefer-offline"]
    command = [npm, "install", "--no-package-lock", "--ignore-scripts", *quiet]
    try:
        done = subprocess.run(command, cwd=folder, capture_output=True, text=True, check=False, timeout=INSTALL_SECONDS)
    except subprocess.TimeoutExpired as error:
        raise Absent(f"npm took longer than {INSTALL_SECONDS} s") from error
    if done.returncode != 0:
        raise Absent(f"npm could not install them:\n{done.stderr.strip()[-2000:]}")


def main() -> int:
    """Find or install them; the exit code."""
    try:
        installed()
        installed(COMPILERS, COMPILED)
    except Absent as absent:
        print(UNTESTED.format(reason=absent), file=sys.stderr)
        return 1 if required() else 0
    return 0


if __name__ == "__main__":
    sys.exit(main())
