"""Access tokens: nothing but what this keyring signed, in time, is read."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from uuid import UUID

import jwt
import pytest

from core import clock, tokens
from core.errors import Unauthenticated
from core.keys import Keyring
from resolvers.context import GUEST, viewer_from_authorization

NOON = datetime(2026, 12, 15, 12, 0, 0, 400_000, tzinfo=UTC)
ADA, VISIT = UUID(int=7), UUID(int=8)
OLD, NEW = b"o" * 32, b"n" * 32


@pytest.fixture(autouse=True)
def noon(monkeypatch: pytest.MonkeyPatch) -> None:
    stop_clock(monkeypatch, NOON)


def stop_clock(monkeypatch: pytest.MonkeyPatch, at: datetime) -> None:
    monkeypatch.setattr(clock, "now", lambda: at)


def issue(keyring: Keyring) -> str:
    return tokens.issue(keyring, user_id=ADA, session_id=VISIT, role="CUSTOMER")[0]


def forged(keyring: Keyring, *, kid: str | None = None, drop: str = "", **changes: object) -> str:
    """A token with our signature and other claims."""
    claims = {"iss": "jetway", "sub": str(ADA), "sid": str(VISIT), "iat": 1, "exp": 4_000_000_000, "role": "CUSTOMER"}
    claims = {name: value for name, value in {**claims, **changes}.items() if name != drop}
    own, key = next(iter(keyring.signing_keys(tokens.PURPOSE).items()))
    return jwt.encode(claims, key, algorithm="EdDSA", headers={"kid": kid or own})


def test_what_was_issued_is_read() -> None:
    keyring = Keyring((NEW,))
    token, expires_at = tokens.issue(keyring, user_id=ADA, session_id=VISIT, role="CUSTOMER")
    assert expires_at == datetime(2026, 12, 15, 12, 15, tzinfo=UTC)
    assert tokens.read(keyring, token) == tokens.AccessToken(
        user_id=ADA, session_id=VISIT, role="CUSTOMER", expires_at=expires_at
    )
    assert jwt.get_unverified_header(token)["alg"] == "EdDSA"


def test_a_token_ends_after_fifteen_minutes_to_the_second(monkeypatch: pytest.MonkeyPatch) -> None:
    keyring = Keyring((NEW,))
    token = issue(keyring)
    stop_clock(monkeypatch, NOON.replace(microsecond=0) + timedelta(minutes=14, seconds=59))
    assert tokens.read(keyring, token).user_id == ADA
    stop_clock(monkeypatch, NOON.replace(microsecond=0) + timedelta(minutes=15))
    with pytest.raises(Unauthenticated):
        tokens.read(keyring, token)


def test_a_rotated_secret_still_verifies_and_a_dropped_one_does_not() -> None:
    token = issue(Keyring((OLD,)))
    assert tokens.read(Keyring((NEW, OLD)), token).user_id == ADA
    with pytest.raises(Unauthenticated):
        tokens.read(Keyring((NEW,)), token)


def test_the_algorithm_is_pinned() -> None:
    keyring = Keyring((NEW,))
    kid = next(iter(keyring.signing_keys(tokens.PURPOSE)))
    claims = jwt.decode(issue(keyring), options={"verify_signature": False})
    unsigned = jwt.encode(claims, "", algorithm="none", headers={"kid": kid})
    public = tokens.verifying_keys(keyring)[kid].public_bytes_raw()
    confused = jwt.encode(claims, public, algorithm="HS256", headers={"kid": kid})
    for token in (unsigned, confused):
        with pytest.raises(Unauthenticated):
            tokens.read(keyring, token)


def test_a_key_of_another_purpose_signs_nothing_here() -> None:
    keyring = Keyring((NEW,))
    kid, key = next(iter(keyring.signing_keys("another purpose").items()))
    claims = jwt.decode(issue(keyring), options={"verify_signature": False})
    with pytest.raises(Unauthenticated):
        tokens.read(keyring, jwt.encode(claims, key, algorithm="EdDSA", headers={"kid": kid}))


@pytest.mark.parametrize(
    "changes",
    [{"iss": "somebody"}, {"sub": "7"}, {"sid": ""}, {"sub": 7}, {"exp": "soon"}, {"exp": 10**30}, {"kid": "????????"}]
    + [{"drop": claim} for claim in tokens.CLAIMS],
)
def test_claims_that_we_would_not_write_are_refused(changes: dict[str, str]) -> None:
    keyring = Keyring((NEW,))
    with pytest.raises(Unauthenticated):
        tokens.read(keyring, forged(keyring, **changes))


@pytest.mark.parametrize("token", ["", ".", "..", "a.b.c", "é.é.é", "e30.e30.", "bnVsbA.bnVsbA.", "x" * 100_000])
def test_garbage_is_refused(token: str) -> None:
    with pytest.raises(Unauthenticated):
        tokens.read(Keyring((NEW,)), token)


def test_a_changed_token_is_refused() -> None:
    keyring = Keyring((NEW,))
    token = issue(keyring)
    for place in range(len(token) - 1):  # four of the last character's bits mean nothing (RFC 4648 section 3.5)
        changed = token[:place] + ("A" if token[place] != "A" else "B") + token[place + 1 :]
        with pytest.raises(Unauthenticated):
            tokens.read(keyring, changed)


def test_no_header_is_a_guest_and_a_good_one_is_the_user() -> None:
    keyring = Keyring((NEW,))
    assert viewer_from_authorization(keyring, None) == GUEST
    for header in (f"Bearer {issue(keyring)}", f" bearer  {issue(keyring)} "):
        viewer = viewer_from_authorization(keyring, header)
        assert (viewer.user_id, viewer.session_id, viewer.role) == (ADA, VISIT, "CUSTOMER")


@pytest.mark.parametrize("header", ["", "Bearer", "Bearer ", "Basic YTpi", "Bearer x", "x"])
def test_a_bad_header_is_refused_and_never_a_guest(header: str) -> None:
    with pytest.raises(Unauthenticated):
        viewer_from_authorization(Keyring((NEW,)), header)
