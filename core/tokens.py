"""Access tokens: JSON Web Tokens that say who is asking, good for fifteen minutes and checked without the database.

RFC 7519, signed with Ed25519 (RFC 8037, `alg` EdDSA). The header's `kid` names the key, so keys are rotated by putting
a new secret in front: its key signs, all of them verify. The algorithm is pinned; what a token's header says of it
counts for nothing.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from functools import lru_cache
from uuid import UUID

import jwt
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

from core import clock
from core.errors import Unauthenticated
from core.keys import Keyring

ISSUER = "jetway"
PURPOSE = "access-token"
LIFETIME = timedelta(minutes=15)
ALGORITHM = "EdDSA"
CLAIMS = ["iss", "sub", "sid", "iat", "exp", "role"]
LONGEST = 2048
"""No token of ours is longer, so nothing longer is looked at."""


@dataclass(frozen=True, kw_only=True)
class AccessToken:
    """What an access token says: this user, in this session, in this role, until `expires_at`."""

    user_id: UUID
    session_id: UUID
    role: str
    expires_at: datetime


def issue(keyring: Keyring, *, user_id: UUID, session_id: UUID, role: str) -> tuple[str, datetime]:
    """A new token of fifteen minutes, and the moment at which it ends."""
    kid, key = next(iter(keyring.signing_keys(PURPOSE).items()))
    issued_at = clock.now().replace(microsecond=0)
    expires_at = issued_at + LIFETIME
    claims = {
        "iss": ISSUER,
        "sub": str(user_id),
        "sid": str(session_id),
        "iat": int(issued_at.timestamp()),
        "exp": int(expires_at.timestamp()),
        "role": role,
    }
    return jwt.encode(claims, key, algorithm=ALGORITHM, headers={"kid": kid}), expires_at


def read(keyring: Keyring, token: str) -> AccessToken:
    """What `token` says. Raises Unauthenticated for one that is not ours, was changed, or has ended."""
    try:
        claims = verified_claims(keyring, token)
        said = AccessToken(
            user_id=UUID(claims["sub"]),
            session_id=UUID(claims["sid"]),
            role=str(claims["role"]),
            expires_at=datetime.fromtimestamp(int(claims["exp"]), UTC),
        )
    except (jwt.PyJWTError, ValueError, OverflowError) as error:
        raise Unauthenticated("The access token is not valid.") from error
    if said.expires_at <= clock.now():
        raise Unauthenticated("The access token has expired.")
    return said


def verified_claims(keyring: Keyring, token: str) -> dict[str, str]:
    """The claims of a token whose signature is ours; its deadline is for the caller to judge by `core.clock`."""
    if len(token) > LONGEST or not token.isascii():
        raise ValueError("no token of ours looks like that")
    kid = jwt.get_unverified_header(token).get("kid")
    key = verifying_keys(keyring).get(str(kid))
    if key is None:
        raise ValueError("no key of ours has that id")
    options: jwt.types.Options = {"require": CLAIMS, "verify_exp": False, "verify_iat": False}
    claims: dict[str, str] = jwt.decode(token, key, algorithms=[ALGORITHM], issuer=ISSUER, options=options)
    return claims


@lru_cache(maxsize=8)
def verifying_keys(keyring: Keyring) -> dict[str, Ed25519PublicKey]:
    """The public keys by key id. A keyring never changes, so they are derived once."""
    return {kid: key.public_key() for kid, key in keyring.signing_keys(PURPOSE).items()}
