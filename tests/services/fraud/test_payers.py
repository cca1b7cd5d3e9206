"""By what payers are known again, and what says nothing of anybody. Nothing that is kept can be read."""

from __future__ import annotations

from uuid import UUID

import pytest

from core.keys import Keyring
from models import FraudSubject
from services.fraud import NOBODY, payer
from services.fraud.payers import address_of, device_of, email_of

KEYS = Keyring((b"k" * 32,))


@pytest.mark.parametrize(
    ("address", "known_as"),
    [
        ("203.0.114.7", "203.0.114.7"),
        ("::ffff:203.0.114.7", "203.0.114.7"),
        ("2a00:1450:4001:81b::200e", "2a00:1450:4001:081b"),
        ("2a00:1450:4001:81b:1::1", "2a00:1450:4001:081b"),
        ("127.0.0.1", None),
        ("10.1.2.3", None),
        ("192.168.0.9", None),
        ("::1", None),
        ("fd00::1", None),
        ("testclient", None),
        ("", None),
        (None, None),
    ],
)
def test_an_address_is_one_subscribers(address: str | None, known_as: str | None) -> None:
    assert address_of(address) == known_as


@pytest.mark.parametrize(
    ("email", "known_as"),
    [
        ("Ada@Lovelace.London", "ada@lovelace.london"),
        ("ada+flights@lovelace.london", "ada@lovelace.london"),
        ("ada@example.org", None),
        ("ada@shop.example", None),
        ("+x@lovelace.london", None),
        ("nobody", None),
        (None, None),
    ],
)
def test_an_e_mail_is_one_mailbox(email: str | None, known_as: str | None) -> None:
    assert email_of(email) == known_as


@pytest.mark.parametrize(
    ("device", "known_as"),
    [(" 7f3a ", "7f3a"), ("x" * 200, "x" * 200), ("x" * 201, None), ("a\nb", None), ("", ""), (None, "")],
)
def test_a_device_is_what_a_client_says(device: str | None, known_as: str | None) -> None:
    assert device_of(device) == known_as


def test_who_is_known_is_known_by_hashes_alone() -> None:
    known = payer(KEYS, user_id=UUID(int=1), device="d", address="203.0.114.7", email="ada@lovelace.london").keys
    assert set(known) == {FraudSubject.USER, FraudSubject.DEVICE, FraudSubject.ADDRESS, FraudSubject.EMAIL}
    assert {len(one) for one in known.values()} == {16}
    assert payer(KEYS, device="d").keys == {FraudSubject.DEVICE: known[FraudSubject.DEVICE]}
    assert payer(Keyring((b"x" * 32, b"k" * 32)), device="d").keys != {FraudSubject.DEVICE: known[FraudSubject.DEVICE]}


def test_the_same_words_are_another_hash_for_another_thing() -> None:
    one = payer(KEYS, device="ada@lovelace.london", email="ada@lovelace.london").keys
    assert one[FraudSubject.DEVICE] != one[FraudSubject.EMAIL]


def test_a_guest_of_whom_nothing_is_told_is_nobody() -> None:
    assert payer(KEYS, address="127.0.0.1", email="ada@example.org") == NOBODY
