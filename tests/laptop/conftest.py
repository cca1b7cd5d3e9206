"""One home for each module: what a run leaves there is what the next one starts from."""

from __future__ import annotations

import shutil
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.laptop.run import Run, processes


@pytest.fixture(scope="module")
def home() -> Iterator[Path]:
    """A folder below one that only its owner can enter."""
    above = Path(tempfile.mkdtemp(prefix="jetway-laptop-")).resolve()
    yield above / "home"
    for process in processes(above / "home"):
        process.kill()
    shutil.rmtree(above)


@pytest.fixture
def run(home: Path) -> Iterator[Run]:
    """Jetway on `home`, ready; stopped afterwards where the test left it running."""
    running = Run(home)
    try:
        yield running.until_ready()
    finally:
        if running.process.poll() is None:
            running.interrupt()
