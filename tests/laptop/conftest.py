"""One home for each module, and the run that is going on in it: what one test leaves there the next one finds."""

from __future__ import annotations

import shutil
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.laptop.run import Runs, processes


@pytest.fixture(scope="module")
def home() -> Iterator[Path]:
    """A folder below one that only its owner can enter."""
    above = Path(tempfile.mkdtemp(prefix="jetway-laptop-")).resolve()
    yield above / "home"
    for process in processes(above / "home"):
        process.kill()
    shutil.rmtree(above)


@pytest.fixture(scope="module")
def runs(home: Path) -> Iterator[Runs]:
    """Every run of the module's tests, ended with them."""
    runs = Runs(home)
    yield runs
    for run in runs.all:
        run.kill()
