"""Whether a webhook is PayPal's: its signature is checked here, with the certificate that PayPal publishes.

SHA256 with RSA over `transmission id|time|webhook id|CRC-32 of the body`
(https://developer.paypal.com/api/rest/webhooks/rest/). The certificate is fetched once from the address that the
webhook names, which has to be PayPal's own: that address, over TLS, is what vouches for it.
"""

from __future__ import annotations

import asyncio
import base64
import re
import zlib
from collections.abc import Mapping
from datetime import datetime, timedelta

from cryptography import x509
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import padding, rsa

from core import clock
from core.errors import Forbidden
from services.gateways.paypal_line import Line
from services.gateways.protocol import GatewayUnavailable

TOLERANCE = timedelta(minutes=5)
CERTIFICATES = "/v1/notifications/certs/"
MOST_CERTIFICATES = 8
NAME = re.compile(r"[A-Za-z0-9_-]{1,100}")
PAYPALS = re.compile(rf"https://api(-m)?(\.sandbox)?\.paypal\.com{CERTIFICATES}{NAME.pattern}")
TRANSMISSION = re.compile(r"[A-Za-z0-9-]{1,64}")
SIGNATURE_SIZES = range(256, 513)
"""Bytes of a signature by an RSA key of 2048 to 4096 bits."""

FORGOTTEN = timedelta(minutes=1)
MOST_FAILURES = 16
"""Certificates that could not be had within `FORGOTTEN`: so many, and no other is asked for until one is forgotten.

Anybody may name addresses; PayPal sends again for three days.
"""


class Seal:
    """Checks what is signed for the webhook `webhook_id`."""

    def __init__(self, line: Line, webhook_id: str, api_base: str) -> None:
        self._line = line
        self._webhook_id = webhook_id
        self._own = f"{api_base.rstrip('/')}{CERTIFICATES}"
        self._certificates: dict[str, x509.Certificate] = {}
        self._failed: dict[str, datetime] = {}
        self._fetching = asyncio.Lock()

    async def check(self, body: bytes, headers: Mapping[str, str]) -> None:
        """Raises Forbidden unless PayPal signed `body` within the last five minutes for our webhook.

        Raises GatewayUnavailable where the certificate cannot be had. It is asked for last, for it is the only step
        that costs more than a few microseconds.
        """
        sent, transmission = headers.get("paypal-transmission-time", ""), headers.get("paypal-transmission-id", "")
        if not is_fresh(sent) or TRANSMISSION.fullmatch(transmission) is None:
            raise forged()
        signature = signature_in(headers)
        certificate = await self._certificate(headers.get("paypal-cert-url", ""))
        text = f"{transmission}|{sent}|{self._webhook_id}|{zlib.crc32(body)}"
        key = certificate.public_key()
        if not isinstance(key, rsa.RSAPublicKey):
            raise forged()
        try:
            key.verify(signature, text.encode(), padding.PKCS1v15(), hashes.SHA256())
        except InvalidSignature as error:
            raise forged() from error

    async def _certificate(self, url: str) -> x509.Certificate:
        if not self._is_paypals(url):
            raise forged()
        known = self._certificates.get(url) or await self._fetched(url)
        if not known.not_valid_before_utc <= clock.now() <= known.not_valid_after_utc:
            raise forged()
        return known

    async def _fetched(self, url: str) -> x509.Certificate:
        """A certificate, fetched once however many ask at the same time, and not again soon after it failed."""
        async with self._fetching:
            if url in self._certificates:
                return self._certificates[url]
            now = clock.now()
            self._failed = {one: when for one, when in self._failed.items() if now - when < FORGOTTEN}
            if url in self._failed or len(self._failed) >= MOST_FAILURES:
                raise GatewayUnavailable("This certificate could not be had. Send the webhook again later.")
            try:
                loaded = x509.load_pem_x509_certificate(await self._line.document(url))
            except GatewayUnavailable:
                self._failed[url] = now
                raise
            except ValueError as error:
                self._failed[url] = now
                raise forged() from error
            if len(self._certificates) >= MOST_CERTIFICATES:
                self._certificates.clear()
            self._certificates[url] = loaded
            return loaded

    def _is_paypals(self, url: str) -> bool:
        """Whether an address is where PayPal, or the server in its place, has its certificates."""
        own = url.startswith(self._own) and NAME.fullmatch(url, len(self._own)) is not None
        return own or PAYPALS.fullmatch(url) is not None


def signature_in(headers: Mapping[str, str]) -> bytes:
    """The signature; raises Forbidden for what cannot be one."""
    try:
        found = base64.b64decode(headers.get("paypal-transmission-sig", ""), validate=True)
    except ValueError as error:
        raise forged() from error
    if len(found) not in SIGNATURE_SIZES:
        raise forged()
    return found


def is_fresh(sent: str) -> bool:
    """Whether that was said within the last five minutes."""
    try:
        then = datetime.fromisoformat(sent)
    except ValueError:
        return False
    return then.tzinfo is not None and abs(clock.now() - then) <= TOLERANCE


def forged() -> Forbidden:
    """It is not signed by PayPal, or not for us, or not now."""
    return Forbidden("This webhook is not signed by the gateway.")
