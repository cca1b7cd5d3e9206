"""Which gateway takes a payment: by its currency and by what the payer gave as method; and the registry of all of them.

A route is `CURRENCY:METHOD=gateway`, both sides of the colon patterns as `fnmatch` has them; the first that fits
decides. Where none fits, every gateway takes what looks like its own methods.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from fnmatch import fnmatchcase
from uuid import UUID

from core.errors import Invalid
from core.keys import Keyring
from core.money import Money
from core.settings import Settings, SettingsError
from services.gateways.paypal import PayPal
from services.gateways.protocol import Gateway, Means
from services.gateways.stripe import Stripe

RETURNED, TURNED_BACK = "returned", "turned-back"
"""What the addresses are signed for that a payer comes back to: having agreed, or having not."""


@dataclass(frozen=True)
class Route:
    """One line of the routing table."""

    currency: str
    method: str
    gateway: str

    def fits(self, currency: str, method: str) -> bool:
        """Whether it decides about such a payment."""
        return fnmatchcase(currency, self.currency) and fnmatchcase(method, self.method)


@dataclass(frozen=True)
class Offered:
    """A kind of payment that can be used: at which gateway, and what its methods look like."""

    gateway: str
    method: str
    means: Means


class Gateways:
    """The gateways of one process, by name."""

    def __init__(self, gateways: Sequence[Gateway], routes: Sequence[Route] = ()) -> None:
        self._by_name = {gateway.name: gateway for gateway in gateways}
        self._routes = routes
        self.default = gateways[0]

    @classmethod
    def from_settings(cls, settings: Settings) -> Gateways:
        """The gateways that the settings name: Stripe, or the sandbox in its place, and PayPal where it is set up.

        Raises SettingsError for a route to a gateway that there is not.
        """
        gateways: list[Gateway] = [
            Stripe(settings.stripe_api_key, settings.stripe_webhook_secret, settings.stripe_api_base)
        ]
        if settings.paypal_client_id:
            gateways.append(paypal(settings))
        routes = [read_route(text) for text in settings.payment_routes]
        names = {gateway.name for gateway in gateways}
        if unknown := [route.gateway for route in routes if route.gateway not in names]:
            raise SettingsError(f"PAYMENT_ROUTES names {unknown[0]!r}; there is {', '.join(sorted(names))}")
        return cls(gateways, routes)

    @property
    def names(self) -> list[str]:
        """All of their names."""
        return list(self._by_name)

    def named(self, name: str) -> Gateway:
        """The gateway of that name; KeyError for one that this process was not given."""
        return self._by_name[name]

    def route(self, amount: Money, method: str) -> Gateway:
        """The gateway that a payment goes to. Raises Invalid on `paymentMethod` where none takes it."""
        found = self._found(amount.currency, method)
        if found is None:
            raise Invalid("Nothing here can be paid with this method.", field="paymentMethod")
        if not found.means(amount):
            raise Invalid(f"{amount.amount} {amount.currency} cannot be paid with this method.", field="paymentMethod")
        return found

    def offered(self, amount: Money) -> list[Offered]:
        """What an amount can be paid with, in the order of the gateways."""
        return [
            Offered(gateway.name, gateway.methods[0], means)
            for gateway in self._by_name.values()
            if any(self._found(amount.currency, method) is gateway for method in gateway.methods)
            for means in gateway.means(amount)
        ]

    def _found(self, currency: str, method: str) -> Gateway | None:
        for route in self._routes:
            if route.fits(currency, method):
                chosen = self._by_name[route.gateway]
                return chosen if takes(chosen, method) else None
        return next((gateway for gateway in self._by_name.values() if takes(gateway, method)), None)

    async def close(self) -> None:
        """Close every connection of every gateway."""
        for gateway in self._by_name.values():
            await gateway.close()


def takes(gateway: Gateway, method: str) -> bool:
    """Whether a method looks like one of that gateway's."""
    return any(fnmatchcase(method, pattern) for pattern in gateway.methods)


def paypal(settings: Settings) -> PayPal:
    """PayPal, with addresses of ours for payers to come back to. They are the same for the same payment."""
    keyring = Keyring(settings.secrets)

    def address(purpose: str, payment_id: UUID) -> str:
        return f"{settings.public_url}/payments/{purpose}/{keyring.sign(signing(purpose), payment_id.bytes)}"

    return PayPal(
        settings.paypal_client_id,
        settings.paypal_secret,
        settings.paypal_webhook_id,
        settings.paypal_api_base,
        returned=lambda payment_id: address(RETURNED, payment_id),
        turned_back=lambda payment_id: address(TURNED_BACK, payment_id),
    )


def signing(purpose: str) -> str:
    """What an address for RETURNED or TURNED_BACK is signed for."""
    return f"payment-{purpose}"


def read_route(text: str) -> Route:
    """`INR:*=paypal` as a route; raises SettingsError."""
    pattern, equals, gateway = text.partition("=")
    currency, colon, method = pattern.partition(":")
    if not (equals and colon and currency and method and gateway):
        raise SettingsError(f"PAYMENT_ROUTES has {text!r}; a route is CURRENCY:METHOD=gateway")
    return Route(currency.strip(), method.strip(), gateway.strip())
