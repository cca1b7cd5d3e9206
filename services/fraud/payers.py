"""By what a payer is known again: account, device, network address and e-mail, each as a keyed hash.

Hashed where the request is still at hand, so that nothing below ever sees an address or an identifier. What many
people share says nothing of one of them, and is left out: addresses of private networks (a proxy that nobody named, a
machine's own), and e-mail domains that are reserved for examples (RFC 2606).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from ipaddress import ip_address
from uuid import UUID

from core.keys import Keyring
from models import FraudSubject
from services.limits import grouped

RESERVED = (".test", ".example", ".invalid", ".localhost", ".example.com", ".example.net", ".example.org")

LONGEST_DEVICE = 200
"""Characters of a device's identifier; a longer one is nobody's."""


@dataclass(frozen=True)
class Payer:
    """Whoever pays, as far as the request told: 16 bytes for each thing by which they are known again."""

    keys: Mapping[FraudSubject, bytes] = field(default_factory=dict)


NOBODY = Payer()
"""Nothing is known of who pays."""


def payer(
    keyring: Keyring,
    *,
    user_id: UUID | None = None,
    device: str | None = None,
    address: str | None = None,
    email: str | None = None,
) -> Payer:
    """A payer of whom these are known. They are forgotten when the newest secret changes: counting begins anew then."""
    known = {
        FraudSubject.USER: None if user_id is None else str(user_id),
        FraudSubject.DEVICE: device_of(device),
        FraudSubject.ADDRESS: address_of(address),
        FraudSubject.EMAIL: email_of(email),
    }
    return Payer(
        {subject: keyring.digest(f"fraud/{subject}", text.encode()) for subject, text in known.items() if text}
    )


def device_of(device: str | None) -> str | None:
    """What a client says of the device that it runs on; None where that cannot be meant."""
    said = (device or "").strip()
    return said if said.isprintable() and len(said) <= LONGEST_DEVICE else None


def address_of(address: str | None) -> str | None:
    """The network address of one subscriber, an IPv6 one's /64; None where it is no subscriber's."""
    try:
        found = ip_address(address or "")
    except ValueError:
        return None
    return grouped(str(found)) if found.is_global else None


def email_of(email: str | None) -> str | None:
    """The mailbox behind an e-mail address: small letters, and without what follows a plus sign in its name."""
    name, at, domain = (email or "").strip().lower().rpartition("@")
    mailbox = name.partition("+")[0]
    if not at or not mailbox or f".{domain}".endswith(RESERVED):
        return None
    return f"{mailbox}@{domain}"
