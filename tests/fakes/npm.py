"""What tests need from npm: there, or the reason why they are skipped, loudly; a failure where they must run."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from scripts import node


def installed(peers: Path = node.PEERS, folder: Path = node.FOLDER) -> Path:
    """The folder that has the packages which `peers` pins; skips the test where they cannot be had."""
    try:
        return node.installed(peers, folder)
    except node.Absent as absent:
        if node.required() or os.environ.get("CI") == "true":
            pytest.fail(str(absent))
        pytest.skip(node.UNTESTED.format(reason=absent))
