"""Webhooks as PayPal signs them: SHA256 with RSA over `transmission id|time|webhook id|CRC-32 of the body`.

The key and its certificate are made at the first need and kept in the store. Receivers fetch the certificate from the
address that each webhook names.
"""

import base64
import datetime
import uuid
import zlib

import orjson
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import padding, rsa
from cryptography.x509.oid import NameOID

from sandbox import faults
from sandbox.paypal import PREFIX
from sandbox.paypal.wire import linked, moment
from sandbox.settings import Settings
from sandbox.store import Doc, Store
from sandbox.till import Till

CERTIFICATE = f"{PREFIX}/v1/notifications/certs/CERT-sandbox"
BASE = "paypal_base"
"""The setting that keeps the address by which this side was asked last: there its certificate is."""

_YEARS = datetime.timedelta(days=3650)
_SUMMARIES = {
    "CHECKOUT.ORDER.APPROVED": "An order has been approved by buyer",
    "PAYMENT.AUTHORIZATION.CREATED": "A payment authorization was created",
    "PAYMENT.AUTHORIZATION.VOIDED": "A payment authorization was voided",
    "PAYMENT.CAPTURE.COMPLETED": "Payment completed",
    "PAYMENT.CAPTURE.REFUNDED": "A payment capture was refunded",
    "CUSTOMER.DISPUTE.CREATED": "A new dispute opened",
}


def emit(till: Till, type: str, resource_type: str, resource: Doc) -> None:
    """Record an event about `resource` as it now is, and queue its webhook if the endpoint listens to that type."""
    id = f"WH-{uuid.uuid4().hex[:17].upper()}-{uuid.uuid4().hex[:17].upper()}"
    event: Doc = {
        "id": id,
        "event_version": "1.0",
        "resource_version": "2.0",
        "create_time": moment(till.now),
        "resource_type": resource_type,
        "event_type": type,
        "summary": _SUMMARIES[type],
        "resource": resource,
        "links": [linked(till.base_url, f"{PREFIX}/v1/notifications/webhooks-events/{id}", "self")],
    }
    about = {"id": resource.get("id", resource.get("dispute_id"))}
    record = {"id": id, "object": "paypal_event", "created": till.now, "type": type, "data": {"object": about}}
    till.store.insert(record | {"paypal": event})
    if till.settings.wants_paypal(type):
        faults.queue(till.store, record, till.clock.now())


def signed(store: Store, settings: Settings, payload: bytes, now: float) -> dict[str, str]:
    """The headers that go with a webhook. `now` is real time, because receivers check the age."""
    transmission, sent = str(uuid.uuid4()), moment(now)
    text = f"{transmission}|{sent}|{settings.paypal_webhook_id}|{zlib.crc32(payload)}".encode()
    signature = _keys(store)[0].sign(text, padding.PKCS1v15(), hashes.SHA256())
    return {
        "Content-Type": "application/json",
        "PAYPAL-TRANSMISSION-ID": transmission,
        "PAYPAL-TRANSMISSION-TIME": sent,
        "PAYPAL-TRANSMISSION-SIG": base64.b64encode(signature).decode(),
        "PAYPAL-CERT-URL": f"{settings.public_url or store.setting(BASE)}{CERTIFICATE}",
        "PAYPAL-AUTH-ALGO": "SHA256withRSA",
        "User-Agent": "PayPal/AUHD-214.0-58417034",
    }


def certificate(store: Store) -> str:
    """The certificate that signatures are checked with, as PEM."""
    return _keys(store)[1]


def _keys(store: Store) -> tuple[rsa.RSAPrivateKey, str]:
    kept = store.setting("paypal_keys")
    if kept is None:
        key = rsa.generate_private_key(public_exponent=65537, key_size=2048)
        private = key.private_bytes(
            serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
        )
        kept = orjson.dumps([private.decode(), _self_signed(key)]).decode()
        store.set_setting("paypal_keys", kept)
    private_text, pem = orjson.loads(kept)
    loaded = serialization.load_pem_private_key(private_text.encode(), None)
    if not isinstance(loaded, rsa.RSAPrivateKey):
        raise TypeError("the kept key is no RSA key")
    return loaded, pem


def _self_signed(key: rsa.RSAPrivateKey) -> str:
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "messageverificationcerts.sandbox.example")])
    today = datetime.datetime.now(datetime.UTC)
    made = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(today - datetime.timedelta(days=1))
        .not_valid_after(today + _YEARS)
        .sign(key, hashes.SHA256())
    )
    return made.public_bytes(serialization.Encoding.PEM).decode()
