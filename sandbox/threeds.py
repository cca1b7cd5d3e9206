"""The payer's bank: a page that asks for 3-D Secure, in a tab, a popup or a frame, and by keyboard alone.

GET shows two buttons; POST with `outcome=complete` or `outcome=fail` decides. The answer tells the opener or parent
window by `postMessage` and goes on to the merchant's `return_url`. Answering twice changes nothing.
"""

import hmac
import html
import secrets
from collections.abc import Callable
from urllib.parse import parse_qsl, urlencode, urlsplit, urlunsplit

import orjson
from starlette.requests import Request
from starlette.responses import HTMLResponse, Response

from sandbox import attempts, money
from sandbox.clock import Clock
from sandbox.settings import Settings
from sandbox.store import Doc, Store
from sandbox.till import Till

PATH = "/sandbox/3ds/{intent}/{nonce}"
_PAID = ("requires_capture", "succeeded", "processing")
_PAGE = """<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="referrer" content="no-referrer">
<title>{title}</title>
<style nonce="{nonce}">
:root {{ color-scheme: light dark; }}
body {{ font: 1rem/1.5 system-ui, sans-serif; margin: 0; padding: 1.5rem; max-width: 28rem; }}
button {{ font: inherit; min-height: 3rem; padding: 0 1.5rem; margin: 0 .75rem .75rem 0; border-radius: .5rem;
  border: 2px solid currentColor; background: Canvas; color: CanvasText; cursor: pointer; }}
button[value=complete] {{ background: #14532d; border-color: #14532d; color: #fff; }}
:focus-visible {{ outline: 3px solid #2563eb; outline-offset: 3px; }}
</style>
</head>
<body>
<main>
{body}
</main>
</body>
</html>
"""


class Bank:
    """The endpoint of `PATH`; `wake` is called after every decision."""

    def __init__(self, store: Store, clock: Clock, settings: Settings, wake: Callable[[], None]) -> None:
        self._store = store
        self._clock = clock
        self._settings = settings
        self._wake = wake

    async def answer(self, request: Request) -> Response:
        """GET shows the question, POST takes the answer; 404 for a link that is not, or no longer, good."""
        intent = self._store.get(request.path_params["intent"], "payment_intent")
        kept = self._store.hidden(intent["id"]) if intent else {}
        if intent is None or not hmac.compare_digest(kept.get("nonce", ""), request.path_params["nonce"]):
            return page("Not found", "<h1>This page is not valid</h1><p>Please go back to the shop.</p>", 404)
        if intent["status"] != "requires_action":
            return _finish(intent, kept["return_url"])
        if request.method != "POST":
            return _question(intent)
        outcome = dict(parse_qsl((await request.body()).decode(errors="replace"))).get("outcome")
        if outcome not in ("complete", "fail"):
            return _question(intent, 400)
        with self._store.transaction():
            intent = self._store.get(intent["id"], "payment_intent") or intent
            if intent["status"] == "requires_action":
                till = Till(self._store, self._clock, self._settings, self._settings.public_url or "")
                attempts.answer_challenge(till, intent, passed=outcome == "complete")
        self._wake()
        return _finish(intent, kept["return_url"])


def with_outcome(return_url: str, intent: Doc) -> str:
    """The merchant's address with the parameters that Stripe adds on the way back."""
    parts = urlsplit(return_url)
    added = {
        "payment_intent": intent["id"],
        "payment_intent_client_secret": intent["client_secret"],
        "redirect_status": _status(intent),
    }
    return urlunsplit(parts._replace(query=urlencode([*parse_qsl(parts.query, True), *added.items()])))


def _status(intent: Doc) -> str:
    return "succeeded" if intent["status"] in _PAID else "failed"


def _question(intent: Doc, status: int = 200) -> Response:
    amount = html.escape(money.words(intent["amount"], intent["currency"]).upper())
    about = html.escape(intent["description"] or "")
    return page(
        "Confirm your payment",
        f"<h1>Confirm your payment</h1><p>Your bank asks whether you want to pay <strong>{amount}</strong>."
        f" This is a test; no money moves.</p><p>{about}</p>"
        '<form method="post">'
        '<button name="outcome" value="complete">Complete authentication</button>'
        '<button name="outcome" value="fail">Fail authentication</button>'
        "</form>",
        status,
    )


def _finish(intent: Doc, return_url: str | None) -> Response:
    status = _status(intent)
    message = {"type": "sandbox.3ds", "payment_intent": intent["id"], "redirect_status": status}
    words = "Payment confirmed" if status == "succeeded" else "Authentication failed"
    if return_url is None:
        onward, link, target = "if (window.opener) window.close();", "<p>You may close this window.</p>", "*"
    else:
        url = with_outcome(return_url, intent)
        parts = urlsplit(return_url)
        target = f"{parts.scheme}://{parts.netloc}" if parts.scheme in ("http", "https") else "*"
        onward = f"location.replace({_literal(url)});"
        link = f'<p><a href="{html.escape(url)}">Back to the shop</a></p>'
    script = (
        "const peer = window.parent !== window ? window.parent : window.opener;"
        f"if (peer) peer.postMessage({_literal(message)}, {_literal(target)});{onward}"
    )
    return page(words, f'<h1 role="status">{words}</h1>{link}<script nonce="{{nonce}}">{script}</script>')


def _literal(value: object) -> str:
    """A JavaScript literal that cannot end its script element."""
    return orjson.dumps(value).decode().replace("<", "\\u003c")


def page(title: str, body: str, status: int = 200, *, forms: str = "'self'", frames: str = "*") -> Response:
    """A page of the sandbox with that `body`; `{nonce}` in it becomes the one that its scripts need.

    `forms` is where its forms may lead, redirects included; `frames` is who may show it in a frame.
    """
    nonce = secrets.token_urlsafe(16)
    policy = (
        f"default-src 'none'; style-src 'nonce-{nonce}'; script-src 'nonce-{nonce}'; form-action {forms};"
        f" base-uri 'none'; frame-ancestors {frames}"
    )
    return HTMLResponse(
        _PAGE.format(title=html.escape(title), nonce=nonce, body=body.replace("{nonce}", nonce)),
        status,
        {"Content-Security-Policy": policy, "Cache-Control": "no-store", "Referrer-Policy": "no-referrer"},
    )
