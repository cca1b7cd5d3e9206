"""What docs/scarcity.md names as proof is there."""

from __future__ import annotations

import re

from tests.contracts.sources import ROOT

PAGE = (ROOT / "docs" / "scarcity.md").read_text()
TESTS = ROOT / "tests"


def test_every_file_that_it_names_is_there() -> None:
    named = set(re.findall(r"`(\w+/[\w/]+\.py)`", PAGE))
    assert len(named) > 20
    assert {one for one in named if not ((TESTS / one).exists() or (ROOT / one).exists())} == set()


def test_every_test_that_it_names_is_there() -> None:
    named = set(re.findall(r"`(test_\w+)`", PAGE))
    written = {name for file in TESTS.rglob("*.py") for name in re.findall(r"def (test_\w+)", file.read_text())}
    assert len(named) > 20
    assert named - written == set()


def test_every_race_is_on_it_and_has_a_control() -> None:
    """Three are not about what is scarce here; three are proofs of an order, whose controls are named beside them."""
    elsewhere = {"test_refresh_rotation.py", "test_shares_at_once.py", "test_two_payments.py"}
    orders = {"test_all_hands.py", "test_gates_never_decide.py", "test_batches.py", "test_gates_whole_sets.py"}
    races = {file.name: file.read_text() for file in (TESTS / "races").glob("test_*.py")}
    assert {name for name in races if name not in PAGE} - elsewhere == {"test_batches.py", "test_gates_whole_sets.py"}
    assert {name for name, source in races.items() if "def test_control_" not in source} <= orders
