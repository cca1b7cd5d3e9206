"""Signed tokens: what one keyring signed for one purpose, and nothing else."""

from __future__ import annotations

import string

import pytest
from hypothesis import given
from hypothesis import strategies as st

from core.keys import Keyring, decode, derive, encode, key_id

OLD, NEW = b"o" * 32, b"n" * 32
BASE64URL = string.ascii_letters + string.digits + "-_"


@given(st.binary(max_size=200), st.text(max_size=20))
def test_what_was_signed_is_read(payload: bytes, purpose: str) -> None:
    keyring = Keyring((NEW,))
    assert keyring.verify(purpose, keyring.sign(purpose, payload)) == payload


def test_a_token_is_worth_nothing_for_another_purpose() -> None:
    keyring = Keyring((NEW,))
    token = keyring.sign("owner-of-hold", b"payload")
    for purpose in ("owner-of-booking", "owner-of-hol", "owner-of-hold ", "OWNER-OF-HOLD", ""):
        assert keyring.verify(purpose, token) is None


def test_keys_differ_by_purpose_and_by_secret() -> None:
    keys = {derive(secret, purpose) for secret in (OLD, NEW) for purpose in ("", "a", "b", "ab")}
    assert len(keys) == 8
    assert {len(key) for key in keys} == {32}


def test_the_newest_secret_signs_and_every_one_verifies() -> None:
    before, during, after = Keyring((OLD,)), Keyring((NEW, OLD)), Keyring((NEW,))
    old, new = before.sign("offer", b"x"), during.sign("offer", b"x")
    assert new == after.sign("offer", b"x") != old
    assert [during.verify("offer", token) for token in (old, new)] == [b"x", b"x"]
    assert after.verify("offer", old) is None
    assert before.verify("offer", new) is None


def test_naming_another_key_does_not_help() -> None:
    keyring = Keyring((NEW, OLD))
    _, payload, mac = keyring.sign("offer", b"x").split(".")
    assert keyring.verify("offer", f"{key_id(OLD)}.{payload}.{mac}") is None


def test_a_change_of_any_character_is_noticed() -> None:
    keyring = Keyring((NEW,))
    token = keyring.sign("offer", b"a party of two")
    for place, character in enumerate(token):
        for other in BASE64URL + "=.+/ \n\0é":
            if other != character:
                assert keyring.verify("offer", token[:place] + other + token[place + 1 :]) is None, (place, other)


def test_a_character_more_or_less_is_noticed() -> None:
    keyring = Keyring((NEW,))
    token = keyring.sign("offer", b"a party of two")
    for place in range(len(token)):
        assert keyring.verify("offer", token[:place] + token[place + 1 :]) is None
    for place in range(len(token) + 1):
        for more in "A=.\n ":
            assert keyring.verify("offer", token[:place] + more + token[place:]) is None


def test_parts_of_other_tokens_make_no_token() -> None:
    keyring = Keyring((NEW,))
    one, other = (keyring.sign("offer", payload).split(".") for payload in (b"one", b"other"))
    assert keyring.verify("offer", ".".join([one[0], one[1], other[2]])) is None
    assert keyring.verify("offer", ".".join([one[0], other[1], one[2]])) is None


@pytest.mark.parametrize("token", ["", ".", "..", "...", "a.b", "a.b.c.d", "é.é.é", "\0.\0.\0", "." * 10_000])
def test_what_is_no_token_is_none(token: str) -> None:
    assert Keyring((NEW,)).verify("offer", token) is None


@pytest.mark.parametrize("rest", ["", ".", "eA", "eA.", ".eA", "eA.eA", "eA.eA.eA"])
def test_a_known_key_with_wrong_parts_is_none(rest: str) -> None:
    assert Keyring((NEW,)).verify("offer", f"{key_id(NEW)}.{rest}") is None


@given(st.binary(max_size=100))
def test_base64url_goes_there_and_back(data: bytes) -> None:
    text = encode(data)
    assert set(text) <= set(BASE64URL)
    assert decode(text) == data


@given(st.text(max_size=12))
def test_only_the_canonical_text_is_decoded(text: str) -> None:
    data = decode(text)
    assert data is None or encode(data) == text


@pytest.mark.parametrize("text", ["A", "AA==", "AB", "A A", "A+8", "A/8", "é", "AA\n"])
def test_what_encode_does_not_write_is_not_decoded(text: str) -> None:
    assert decode(text) is None


def test_signing_keys_come_the_newest_first_and_differ_by_purpose() -> None:
    keyring = Keyring((NEW, OLD))
    access, other = keyring.signing_keys("access"), keyring.signing_keys("other")
    assert list(access) == [key_id(NEW), key_id(OLD)]
    assert len({key.private_bytes_raw() for key in (*access.values(), *other.values())}) == 4


@given(st.binary(max_size=200), st.binary(max_size=20))
def test_what_was_sealed_opens_for_the_same_row_alone(data: bytes, about: bytes) -> None:
    keyring = Keyring((NEW,))
    kid, sealed = keyring.seal("document", data, about)
    assert keyring.unseal("document", kid, sealed, about) == data
    assert keyring.unseal("document", kid, sealed, about + b"x") is None
    assert keyring.unseal("other", kid, sealed, about) is None
    assert keyring.unseal("document", kid, sealed[:-1] + bytes([sealed[-1] ^ 1]), about) is None
    assert keyring.seal("document", data, about)[1] != sealed


def test_the_newest_secret_seals_and_every_one_opens() -> None:
    old, both = Keyring((OLD,)), Keyring((NEW, OLD))
    kid, sealed = old.seal("document", b"x", b"row")
    assert (kid, both.newest) == (key_id(OLD), key_id(NEW))
    assert both.unseal("document", kid, sealed, b"row") == b"x"
    assert Keyring((NEW,)).unseal("document", kid, sealed, b"row") is None
