"""The context of a stream that many are told at once: nobody is in it, and whoever looks for somebody is stopped."""

from __future__ import annotations

from typing import Any, cast
from uuid import UUID

import pytest

from engine.sharing import Personal, Watch
from resolvers.context import IMPERSONAL, Context, Viewer, unseen

ADA = Context(
    app=cast("Any", object()),
    viewer=Viewer(user_id=UUID(int=7), session_id=UUID(int=8), role="ADMIN"),
    request_id="trip-7",
    ip="192.0.2.7",
)


@pytest.mark.parametrize(
    "name", ["viewer", "actor", "owner", "cause", "request_id", "ip", "client", "device", "payer", "transaction"]
)
def test_whoever_asks_for_somebody_is_stopped(name: str) -> None:
    watch = Watch()
    context = unseen(ADA, watch)
    with pytest.raises(Personal):
        getattr(context, name)
    assert watch.touched == name


def test_nothing_of_whoever_came_first_is_in_it() -> None:
    context = unseen(ADA, Watch())
    held = object.__getattribute__(context, "__dict__")
    own = {name: value for name, value in held.items() if name not in IMPERSONAL}
    assert own == {"viewer": Viewer(), "request_id": "", "ip": "", "client": None, "device": None}
    assert context.app is ADA.app
    assert context.reads_primary
