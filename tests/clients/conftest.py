"""A client's build: what relay-compiler, graphql-codegen and tsc make of the contract, once for all tests."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from scripts import node
from tests.fakes import npm
from tests.fakes.servers import Server

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


def load(server: Server, client: str, manifest: Path) -> str:
    """Have that server trust a client's manifest, as its operator would; what the command says."""
    environment = {name: value for name, value in os.environ.items() if name != "DATABASE_URL"}
    return subprocess.run(
        [sys.executable, "-m", "scripts.documents", "load", client, str(manifest)],
        cwd=node.ROOT,
        env={**environment, "JETWAY_HOME": str(server.home)},
        check=True,
        stdout=subprocess.PIPE,
        text=True,
    ).stdout


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
