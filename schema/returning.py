"""Where payers come back to from a gateway's page: their payment is moved on, and they to the shop that sent them."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from uuid import UUID

from starlette.requests import Request
from starlette.responses import PlainTextResponse, RedirectResponse, Response

from core.errors import NotFound, Unavailable
from schema.http import application
from services import bookings
from services.gateways import RETURNED
from services.gateways.routing import signing

HEADERS = {"Cache-Control": "no-store", "Referrer-Policy": "no-referrer"}


def returned(purpose: str) -> Callable[[Request], Awaitable[Response]]:
    """The endpoint of addresses that are signed for `purpose`; 404 for one that we have not signed.

    It acts on GET alone: whoever previews addresses with HEAD (405) turns nobody back.
    """

    async def endpoint(request: Request) -> Response:
        if request.method != "GET":
            return Response(status_code=405, headers={**HEADERS, "Allow": "GET"})
        app = application(request)
        signed = app.keyring.verify(signing(purpose), request.path_params["token"])
        if signed is None or len(signed) != len(UUID(int=0).bytes):
            return PlainTextResponse("This address is not good. Please go back to the shop.", 404, HEADERS)
        agreed = purpose == RETURNED
        try:
            url = await bookings.payer_returned(app.database, app.gateways, UUID(bytes=signed), agreed=agreed)
        except NotFound as refusal:
            return PlainTextResponse(refusal.message, 404, HEADERS)
        except Unavailable as refusal:
            return PlainTextResponse(refusal.message, 503, {**HEADERS, "Retry-After": str(refusal.retry_after)})
        if url is None:
            return PlainTextResponse("Thank you. You may close this page.", headers=HEADERS)
        return RedirectResponse(url, 303, HEADERS)

    return endpoint
