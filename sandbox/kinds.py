"""What a test payment method is: how it answers 3-D Secure, what its bank says, and how its money comes and goes."""

from dataclasses import dataclass
from typing import Literal

Ending = Literal["succeeds", "fails", "waits"]
Challenge = Literal["never", "on_request", "on_session", "always"]


@dataclass(frozen=True)
class Decline:
    """Why an issuer says no: Stripe's error code, decline code (None where Stripe has none), message and advice."""

    code: str
    message: str
    decline_code: str | None = None
    advice: str | None = None
    blocked: bool = False


@dataclass(frozen=True)
class Method:
    """One test payment method. Frozen; the same for everyone.

    `challenge`: when 3-D Secure is asked for. `decline`: the refusal after any authentication. `risk`: Radar's
    score, 0 to 100. `type` is Stripe's payment method type; none but cards can be authorised first. `bank` is set for
    bank debits, which settle later: how it ends, with `failure` as its code, after `delay` seconds at least.
    """

    name: str
    brand: str = "visa"
    last4: str = "4242"
    number: str | None = None
    funding: str = "credit"
    country: str = "US"
    challenge: Challenge = "never"
    decline: Decline | None = None
    attachable: bool = True
    risk: int = 20
    cvc_check: str = "pass"
    refund: Literal["instant", "pending", "fails"] = "instant"
    dispute: str | None = None
    type: str = "card"
    bank: Ending | None = None
    failure: str = "insufficient_funds"
    delay: float = 0

    @property
    def risk_level(self) -> str:
        """Radar's words for the score."""
        return "highest" if self.risk >= 75 else "elevated" if self.risk >= 65 else "normal"
