"""What a booking asks for is compiled from its root down: only the root itself, which a refusal may answer, is not."""

from __future__ import annotations

import pytest

from engine.execution import How, explain
from schema.build import schema
from tests.contracts.sources import ROOT

DOCUMENTS = (ROOT / "docs" / "contract" / "core.graphql").read_text()


@pytest.mark.parametrize("operation", ["HoldSeats", "CreateBooking", "PayBooking"])
def test_nothing_below_the_root_is_left_to_graphql_core(operation: str) -> None:
    root, *rest = explain(schema, DOCUMENTS, operation_name=operation)
    assert root.how is How.CORE
    assert [str(one) for one in rest if one.how is How.CORE] == []
