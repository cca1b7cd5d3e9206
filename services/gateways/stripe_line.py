"""How Stripe is asked: through its official SDK, whose raw requests answer with plain documents.

The SDK builds headers, idempotency keys, retries and errors. Its tree of objects is left out: for a PaymentIntent with
its charge it costs more processor time than the rest of the call. aiohttp takes a third of the time that httpx does.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterator, Mapping
from contextlib import contextmanager
from typing import Any
from urllib.parse import quote, urlsplit
from urllib.request import getproxies, proxy_bypass

import aiohttp
import stripe

from core.log import logger
from services.gateways.protocol import GatewayRefused, GatewayUnavailable

TIMEOUT = 4.0
RETRIES = 2
PAGE = 100
"""The most that Stripe puts on one page of a list."""

REFUSED = stripe.CardError, stripe.InvalidRequestError

stripe.enable_telemetry = False
"""How long each of our requests took, and a file that names this machine, are not Stripe's to know."""

log = logger("stripe")


class StripeLine:
    """Calls to the Stripe at `api_base`, over connections that are kept; documents as Stripe writes them come back.

    Whatever leaves open what happened raises GatewayUnavailable, after the SDK has tried it again with the same key.
    """

    def __init__(self, api_key: str, api_base: str) -> None:
        self._http = StripeHttp(api_base, TIMEOUT)
        self._client = stripe.StripeClient(
            api_key,
            base_addresses={"api": api_base},
            http_client=self._http,
            max_network_retries=RETRIES,
        )

    async def post(self, path: str, params: Mapping[str, Any], key: str | None = None) -> dict[str, Any]:
        """Ask for something to be done, under an idempotency key.

        Raises stripe.CardError and stripe.InvalidRequestError where it is refused: see `refusal_in`.
        """
        return await self._ask("post", path, params if key is None else {**params, "idempotency_key": key})

    async def get(self, path: str, params: Mapping[str, Any] | None = None) -> dict[str, Any]:
        """Read something. Raises GatewayRefused where it is not there."""
        try:
            return await self._ask("get", path, params or {})
        except REFUSED as error:
            raise refused(error) from error

    async def walk(self, path: str, params: Mapping[str, Any]) -> AsyncIterator[dict[str, Any]]:
        """Everything in a list, page by page. Raises GatewayRefused."""
        asked = {**params, "limit": PAGE}
        while True:
            page = await self.get(path, asked)
            for one in page["data"]:
                yield one
            if not page["has_more"]:
                return
            asked["starting_after"] = page["data"][-1]["id"]

    async def close(self) -> None:
        """Close the connections."""
        await self._http.close_async()  # type: ignore[no-untyped-call]

    async def _ask(self, method: str, path: str, params: Mapping[str, Any]) -> dict[str, Any]:
        with answered():
            answer = await self._client.raw_request_async(method, path, **params)
        found: dict[str, Any] = answer.data
        return found


class StripeHttp(stripe.AIOHTTPClient):
    """Connections to `api_base`, each request answered within `timeout` seconds; by way of the proxy that HTTPS_PROXY,
    HTTP_PROXY and NO_PROXY name for it, if any."""

    def __init__(self, api_base: str, timeout: float) -> None:
        super().__init__(timeout=aiohttp.ClientTimeout(total=timeout), proxy=proxy_for(api_base))

    async def request_async(
        self, method: str, url: str, headers: Mapping[str, str], post_data: Any = None
    ) -> tuple[bytes, int, Mapping[str, str]]:
        """The whole answer. Raises stripe.APIConnectionError where it breaks off, too, which the SDK's own does not."""
        try:
            return await super().request_async(method, url, headers, post_data)
        except (aiohttp.ClientError, TimeoutError, OSError) as error:
            message = f"{type(error).__name__}: {error}"
            raise stripe.APIConnectionError(message, should_retry=True) from error  # type: ignore[no-untyped-call]


@contextmanager
def answered() -> Iterator[None]:
    """Turns whatever leaves open what happened into GatewayUnavailable."""
    try:
        yield
    except (stripe.AuthenticationError, stripe.PermissionError) as error:
        log.error("stripe.key_refused", code=error.code, request_id=error.request_id)
        raise GatewayUnavailable("Payments cannot be taken just now.", retry_after=30) from error
    except stripe.IdempotencyError as error:
        # Not a refusal: what became of the first request with that key, Stripe does not say.
        log.error("stripe.key_of_another_request", code=error.code, request_id=error.request_id)
        message = "The payment gateway does not say what became of this. Send the same request again."
        raise GatewayUnavailable(message) from error
    except (stripe.APIConnectionError, stripe.APIError, stripe.RateLimitError) as error:
        log.warning("stripe.no_answer", error=type(error).__name__, code=error.code, request_id=error.request_id)
        raise GatewayUnavailable("The payment gateway does not answer. Send the same request again.") from error


def refused(error: stripe.StripeError) -> GatewayRefused:
    """A refusal for good."""
    return GatewayRefused(error.code or "refused", error.user_message or "no reason was given")


def refusal_in(error: stripe.StripeError) -> Mapping[str, Any]:
    """The document that a refusal came as: its `code`, perhaps a `decline_code` and the `payment_intent`."""
    body = error.json_body
    return body["error"] if isinstance(body, dict) else {}


def path_to(*steps: str) -> str:
    """The path of an object, or of what can be done with it: `payment_intents`, its id, `capture`."""
    return "/v1/" + "/".join(quote(step, safe="") for step in steps)


def proxy_for(address: str) -> str | None:
    """The proxy by which the environment wants an address to be reached."""
    parts = urlsplit(address)
    if proxy_bypass(parts.netloc):
        return None
    return getproxies().get(parts.scheme)
