"""Whether a webhook is PayPal's: its signature is checked here, with the certificate that PayPal publishes.

SHA256 with RSA over `transmission id|time|webhook id|CRC-32 of the body`
(https://developer.paypal.com/api/rest/webhooks/rest/). The certificate is fetched once from the address that the
webhook names, which has to be PayPal's own: that address, over TLS, is what vouches for it.
"""

from __future__ import annotations

import base64
import binascii
import re
import zlib
from collections.abc import Mapping
from datetime import datetime, timedelta
from urllib.parse import urlsplit

from cryptography import x509
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import padding, rsa

from core import clock
from core.errors import Forbidden
from services.gateways.paypal_line import Line

TOLERANCE = timedelta(minutes=5)
CERTIFICATES = "/v1/notifications/certs/"
MOST_CERTIFICATES = 8
PAYPALS = re.compile(r"api(-m)?(\.sandbox)?\.paypal\.com")


class Seal:
    """Checks what is signed for the webhook `webhook_id`."""

    def __init__(self, line: Line, webhook_id: str, api_base: str) -> None:
        self._line = line
        self._webhook_id = webhook_id
        self._own = f"{api_base.rstrip('/')}{CERTIFICATES}"
        self._certificates: dict[str, x509.Certificate] = {}

    async def check(self, body: bytes, headers: Mapping[str, str]) -> None:
        """Raises Forbidden unless PayPal signed `body` within the last five minutes for our webhook."""
        sent = headers.get("paypal-transmission-time", "")
        if not is_fresh(sent):
            raise forged()
        text = f"{headers.get('paypal-transmission-id', '')}|{sent}|{self._webhook_id}|{zlib.crc32(body)}"
        certificate = await self._certificate(headers.get("paypal-cert-url", ""))
        try:
            signature = base64.b64decode(headers.get("paypal-transmission-sig", ""), validate=True)
            key = certificate.public_key()
            if not isinstance(key, rsa.RSAPublicKey):
                raise forged()
            key.verify(signature, text.encode(), padding.PKCS1v15(), hashes.SHA256())
        except (binascii.Error, ValueError, InvalidSignature) as error:
            raise forged() from error

    async def _certificate(self, url: str) -> x509.Certificate:
        if not self._is_paypals(url):
            raise forged()
        if url not in self._certificates:
            try:
                loaded = x509.load_pem_x509_certificate(await self._line.document(url))
            except ValueError as error:
                raise forged() from error
            if len(self._certificates) >= MOST_CERTIFICATES:
                self._certificates.clear()
            self._certificates[url] = loaded
        known = self._certificates[url]
        if not known.not_valid_before_utc <= clock.now() <= known.not_valid_after_utc:
            raise forged()
        return known

    def _is_paypals(self, url: str) -> bool:
        """Whether an address is where PayPal, or the server in its place, has its certificates."""
        name = url.rpartition("/")[2]
        if not name or not all(letter.isalnum() or letter in "-_" for letter in name):
            return False
        if url == f"{self._own}{name}":
            return True
        parts = urlsplit(url)
        return (
            parts.scheme == "https" and bool(PAYPALS.fullmatch(parts.netloc)) and parts.path == f"{CERTIFICATES}{name}"
        )


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
