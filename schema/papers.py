"""Papers, as clients see them: what there is to print, and the files themselves over HTTP."""

from __future__ import annotations

from datetime import datetime

import strawberry
from starlette.requests import Request
from starlette.responses import Response

from core.errors import NotFound, RateLimited, Unavailable
from engine.errors import body
from engine.responses import JSON
from resolvers import papers as resolve
from schema.http import application, extensions
from services.papers import PaperKind

strawberry.enum(PaperKind, description="What a traveller can print or keep.")


@strawberry.type(description="A PDF of a booking. It is drawn when it is fetched, and tells what is so then.")
class Paper:
    """`resolvers.papers.Paper`."""

    kind: PaperKind = strawberry.field(description="Which.")
    url: str = strawberry.field(description="Where to fetch it, on this server; needs no Authorization.")
    expires_at: datetime = strawberry.field(description="Until then the address is good. Ask again for another.")


async def paper(request: Request) -> Response:
    """The PDF of an address that a `Paper` told; 404 for any other, and for one that is over."""
    ip = request.client.host if request.client is not None else ""
    try:
        drawn = await resolve.drawn(application(request), request.query_params.get("token", ""), ip)
    except NotFound as refusal:
        return JSON(body(refusal.message, extensions(refusal)), status_code=404)
    except Unavailable as refusal:
        return JSON(body(refusal.message, extensions(refusal)), status_code=503)
    except RateLimited as refusal:
        waiting = {"Retry-After": str(refusal.retry_after)}
        return JSON(body(refusal.message, extensions(refusal)), status_code=429, headers=waiting)
    headers = {"Content-Disposition": f'inline; filename="{drawn.name}"', "Cache-Control": "private, no-store"}
    return Response(drawn.content, media_type="application/pdf", headers=headers)
