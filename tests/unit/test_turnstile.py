"""How many a client has at once: counted by room and client, and given back however it ends."""

from __future__ import annotations

import pytest

from core.errors import RateLimited
from core.turnstile import Turnstile


def test_one_more_than_the_most_is_refused_and_counts_for_nothing() -> None:
    turnstile = Turnstile()
    with turnstile.inside("prices", "ada", 2), turnstile.inside("prices", "ada", 2):
        for _ in range(2):
            with pytest.raises(RateLimited) as refused, turnstile.inside("prices", "ada", 2):
                pass
        assert refused.value.retry_after > 0
        with turnstile.inside("prices", "bob", 2), turnstile.inside("notices", "ada", 2):
            pass
    with turnstile.inside("prices", "ada", 1):
        pass


def test_a_place_is_given_back_by_whoever_fails() -> None:
    turnstile = Turnstile()
    with pytest.raises(ZeroDivisionError), turnstile.inside("prices", "ada", 1):
        raise ZeroDivisionError
    with turnstile.inside("prices", "ada", 1):
        pass


def test_where_none_may_be_none_is() -> None:
    with pytest.raises(RateLimited), Turnstile().inside("notices", "a guest", 0):
        pass
