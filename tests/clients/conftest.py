"""A client's build: what relay-compiler, graphql-codegen and tsc make of the contract, once for all tests."""

from __future__ import annotations

import shutil
import subprocess
from pathlib import Path

import pytest

from scripts import node
from tests.fakes import npm

CONTRACT = node.ROOT / "docs" / "contract"
BUILD_SECONDS = 240.0
TSC = "node_modules/typescript/bin/tsc"
STEPS = ("every.mjs", "node_modules/relay-compiler/cli.js", "codegen.mjs", TSC)


@pytest.fixture(scope="session")
def build(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder of a client whose sources are those of tests/peers/compilers and the documents of docs/contract."""
    modules = npm.installed(node.COMPILERS, node.COMPILED) / "node_modules"
    place = tmp_path_factory.mktemp("client") / "build"
    shutil.copytree(node.COMPILERS, place)
    (place / "node_modules").symlink_to(modules)
    shutil.copyfile(node.ROOT / "schema.graphql", place / "schema.graphql")
    shutil.copytree(CONTRACT, place / "documents", ignore=shutil.ignore_patterns("*.md"))
    (place / "persisted.json").write_text("{}")  # relay-compiler adds to it, and wants it to be there
    for step in STEPS:
        done = run(place, step)
        assert done.returncode == 0, f"{step}\n{done.stdout}"
    return place


def run(place: Path, *command: str) -> subprocess.CompletedProcess[str]:
    """Run a script with Node in a client's folder; what it says, faults too."""
    return subprocess.run(
        [node.node(), *command],
        cwd=place,
        check=False,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        timeout=BUILD_SECONDS,
    )
