"""The line to PayPal: one token for many calls, requests that are repeated with their id, refusals and silence.

A token is fetched with the client's credentials (OAuth 2.0, RFC 6749 section 4.4) and kept until a minute before its
end. What has no answer after three tries is `GatewayUnavailable`.
"""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Any

import httpx

from core import clock
from core.log import logger
from services.gateways.protocol import GatewayUnavailable

TIMEOUT = 4.0
TRIES = 3
PAUSE = 0.2
EARLY = timedelta(minutes=1)
AGAIN = frozenset({409, 429, 500, 502, 503, 504})
"""Answers that say nothing of what will be: the same request is sent again."""

log = logger("paypal")


class Refused(Exception):
    """PayPal said no, for good. `issue` is its own word."""

    def __init__(self, issue: str, description: str) -> None:
        super().__init__(f"{issue}: {description}")
        self.issue = issue
        self.description = description


class Line:
    """Calls to PayPal at `api_base`, on behalf of one client."""

    def __init__(self, client_id: str, secret: str, api_base: str) -> None:
        self._base = api_base.rstrip("/")
        self._http = httpx.AsyncClient(timeout=TIMEOUT)
        self._credentials = httpx.BasicAuth(client_id, secret)
        self._token: str | None = None
        self._ends: datetime | None = None
        self._fetching = asyncio.Lock()

    async def get(self, path: str, query: Mapping[str, str] | None = None) -> dict[str, Any]:
        """What stands at a path. Raises Refused and GatewayUnavailable."""
        return await self._ask("GET", path, params=query)

    async def post(self, path: str, body: Mapping[str, Any], key: str | None) -> dict[str, Any]:
        """Do something; with the same `key` again it is not done again. Raises Refused and GatewayUnavailable."""
        headers = {"Prefer": "return=representation"} | ({} if key is None else {"PayPal-Request-Id": key})
        return await self._ask("POST", path, json=body, headers=headers)

    async def document(self, url: str) -> bytes:
        """What stands at an address that needs no token, such as a certificate. Raises GatewayUnavailable."""
        try:
            answer = await self._http.get(url)
            answer.raise_for_status()
        except httpx.HTTPError as error:
            raise silent(error) from error
        return answer.content

    async def close(self) -> None:
        """Close every connection."""
        await self._http.aclose()

    async def _ask(self, method: str, path: str, **request: Any) -> dict[str, Any]:
        headers = request.pop("headers", {})
        answer = None
        for attempt in range(TRIES):
            if attempt:
                await asyncio.sleep(PAUSE * attempt)
            token = await self._bearer()
            try:
                answer = await self._http.request(
                    method, f"{self._base}{path}", headers={**headers, "Authorization": f"Bearer {token}"}, **request
                )
            except httpx.HTTPError as error:
                log.warning("paypal.no_answer", error=type(error).__name__, path=path)
                continue
            if answer.status_code == 401:
                self._token = None
            elif answer.status_code not in AGAIN:
                return read(answer)
        raise silent(None if answer is None else answer.status_code)

    async def _bearer(self) -> str:
        """The token; fetched once, however many ask at the same time."""
        async with self._fetching:
            if self._token is None or self._ends is None or self._ends <= clock.now():
                self._token, self._ends = await self._fresh()
            return self._token

    async def _fresh(self) -> tuple[str, datetime]:
        try:
            answer = await self._http.post(
                f"{self._base}/v1/oauth2/token", data={"grant_type": "client_credentials"}, auth=self._credentials
            )
            answer.raise_for_status()
        except httpx.HTTPError as error:
            log.error("paypal.no_token", error=type(error).__name__)
            raise silent(error) from error
        made = answer.json()
        return made["access_token"], clock.now() + timedelta(seconds=made["expires_in"]) - EARLY


def read(answer: httpx.Response) -> dict[str, Any]:
    """The body of an answer that decides; raises Refused."""
    if answer.status_code == 204:
        return {}
    body: dict[str, Any] = answer.json()
    if answer.is_success:
        return body
    detail = (body.get("details") or [{}])[0]
    issue = detail.get("issue") or body.get("name") or str(answer.status_code)
    log.info("paypal.refused", issue=issue, status=answer.status_code, debug_id=body.get("debug_id"))
    raise Refused(issue, detail.get("description") or body.get("message") or "no reason was given")


def silent(why: object) -> GatewayUnavailable:
    """Nothing is known."""
    log.warning("paypal.away", why=str(why))
    return GatewayUnavailable("The payment gateway does not answer. Send the same request again.")
