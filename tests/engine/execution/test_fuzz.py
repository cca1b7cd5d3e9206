"""Compiled and interpreted answers are equal, over schemas and objects made to be nasty."""

from __future__ import annotations

import pytest

from tests.engine.execution.fuzz.campaign import LEFT_BEHIND, differences, nasty_cases

pytestmark = LEFT_BEHIND

DOCUMENTS = 50


@pytest.mark.parametrize("seed", range(20))
async def test_compiled_answers_are_those_of_graphql_core(seed: int, caplog: pytest.LogCaptureFixture) -> None:
    count, found = await differences(nasty_cases(seed, DOCUMENTS))
    assert count > DOCUMENTS
    if found:
        pytest.fail(f"{found[0].name} (and {len(found) - 1} others):\n{await found[0].case.report()}")
    assert caplog.records == []
