"""How the SDK of Stripe reaches Stripe: through aiohttp, which takes a third of the processor time that httpx does.

Two calls for each booking made httpx the dearest single thing in taking a payment.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any
from urllib.parse import urlsplit
from urllib.request import getproxies, proxy_bypass

import aiohttp
import stripe


class StripeLine(stripe.AIOHTTPClient):
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


def proxy_for(address: str) -> str | None:
    """The proxy by which the environment wants an address to be reached."""
    parts = urlsplit(address)
    if proxy_bypass(parts.netloc):
        return None
    return getproxies().get(parts.scheme)
