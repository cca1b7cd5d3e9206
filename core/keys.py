"""Signed tokens, sealed data and derived keys: one master secret, one key for each purpose.

Keys are derived with HKDF-SHA256 (RFC 5869), so that a token made for one purpose never passes for another. A token is
`<key id>.<payload>.<mac>` in base64url; the payload is readable by whoever holds it and changed by nobody. What is
sealed (AES-256-GCM, NIST SP 800-38D) is readable by whoever has the secret alone, and good for one row alone.
"""

from __future__ import annotations

import base64
import binascii
import hashlib
import hmac
import os
from functools import lru_cache

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.hmac import HMAC
from cryptography.hazmat.primitives.kdf.hkdf import HKDF

NONCE = 12
"""Bytes of the nonce of AES-GCM: drawn for each sealing, and put in front of what is sealed."""

URL_SAFE = bytes.maketrans(b"+/", b"-_")


@lru_cache(maxsize=256)
def derive(secret: bytes, purpose: str) -> bytes:
    """32 bytes that only the holder of `secret` can compute, different for every purpose."""
    return HKDF(algorithm=SHA256(), length=32, salt=None, info=f"jetway/{purpose}".encode()).derive(secret)


@lru_cache(maxsize=256)
def keyed(secret: bytes, purpose: str) -> HMAC:
    """An HMAC-SHA256 (RFC 2104) that has taken in its key and nothing else. Each use is of a copy: cheaper by far."""
    return HMAC(derive(secret, purpose), SHA256())


def key_id(secret: bytes) -> str:
    """A short public name of a secret, so that a verifier knows which one to try."""
    return hashlib.sha256(b"jetway/key-id" + secret).hexdigest()[:8]


def encode(data: bytes) -> str:
    """Base64url without padding (RFC 4648 section 5)."""
    return binascii.b2a_base64(data, newline=False).translate(URL_SAFE, b"=").decode("ascii")


def decode(text: str) -> bytes | None:
    """The inverse of `encode`; None where `text` is not what `encode` writes."""
    try:
        data = base64.b64decode(
            text.encode("ascii") + b"=" * (-len(text) % 4),
            altchars=b"-_",
            validate=True,
        )
    except ValueError:
        return None
    return data if encode(data) == text else None


class Keyring:
    """The master secrets, newest first: the first signs, every one of them verifies."""

    def __init__(self, secrets: tuple[bytes, ...]) -> None:
        self._secrets = {key_id(secret): secret for secret in secrets}
        self._newest = key_id(secrets[0])

    def sign(self, purpose: str, payload: bytes) -> str:
        """A token that carries `payload` and is worth something for `purpose` alone."""
        mac = self._mac(self._newest, purpose, payload)
        return f"{self._newest}.{encode(payload)}.{encode(mac)}"

    def verify(self, purpose: str, token: str) -> bytes | None:
        """The payload of a token that this keyring signed for `purpose`; None for anything else."""
        parts = token.split(".")
        if len(parts) != 3 or parts[0] not in self._secrets:
            return None
        payload, mac = decode(parts[1]), decode(parts[2])
        if payload is None or mac is None or not hmac.compare_digest(mac, self._mac(parts[0], purpose, payload)):
            return None
        return payload

    def digest(self, purpose: str, value: bytes) -> bytes:
        """16 bytes by which a value is known again and not found out; they are others once there is a newer secret."""
        return self._mac(self._newest, purpose, value)[:16]

    def signing_keys(self, purpose: str) -> dict[str, Ed25519PrivateKey]:
        """Ed25519 keys by key id, the newest first (RFC 8032), for tokens that others verify with a public key."""
        order = [self._newest, *(kid for kid in self._secrets if kid != self._newest)]
        return {kid: Ed25519PrivateKey.from_private_bytes(derive(self._secrets[kid], purpose)) for kid in order}

    @property
    def newest(self) -> str:
        """The key id of the secret that signs and seals."""
        return self._newest

    @property
    def known(self) -> frozenset[str]:
        """The key ids of all secrets."""
        return frozenset(self._secrets)

    def seal(self, purpose: str, data: bytes, about: bytes) -> tuple[str, bytes]:
        """`data` as nobody without the secret can read or change it; with the key id of the secret that sealed it.

        It opens for the same `purpose` and `about` (the key of the row that it is for) alone.
        """
        nonce = os.urandom(NONCE)
        return self._newest, nonce + self._cipher(self._newest, purpose).encrypt(nonce, data, about)

    def unseal(self, purpose: str, kid: str, sealed: bytes, about: bytes) -> bytes | None:
        """What was sealed; None where no secret of ours did so for that purpose and row."""
        if kid not in self._secrets:
            return None
        try:
            return self._cipher(kid, purpose).decrypt(sealed[:NONCE], sealed[NONCE:], about)
        except InvalidTag:
            return None

    def _cipher(self, kid: str, purpose: str) -> AESGCM:
        return AESGCM(derive(self._secrets[kid], f"seal/{purpose}"))

    def _mac(self, kid: str, purpose: str, payload: bytes) -> bytes:
        mac = keyed(self._secrets[kid], purpose).copy()
        mac.update(payload)
        return mac.finalize()
