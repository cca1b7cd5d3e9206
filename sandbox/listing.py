"""Lists with cursors and filters, and the expansion of ids into documents."""

from collections.abc import Callable
from typing import Any

from sandbox import shapes
from sandbox.params import Params
from sandbox.store import Doc, Store
from sandbox.till import Till
from sandbox.wire import ApiError, missing

_PREFIXES = ("pi_", "ch_", "re_", "pm_", "cus_", "txn_", "du_")
_MAX_DEPTH = 4


def lister(kind: str, url: str, *filters: str) -> Callable[[Till, Params], Doc]:
    """The handler of GET `url`: newest first, with `created`, `limit`, `starting_after`, `ending_before` and
    equality `filters`; `type` and `types` go together where `type` is among them."""
    allowed = {"created", "limit", "starting_after", "ending_before", *filters}
    if "type" in filters:
        allowed.add("types")

    def handle(till: Till, params: Params) -> Doc:
        params.only(allowed)
        limit = params.integer("limit", 10)
        if not 1 <= limit <= 100:
            raise ApiError("Invalid limit: must be between 1 and 100.", code="parameter_invalid_integer", param="limit")
        after, before = params.text("starting_after"), params.text("ending_before")
        if after and before:
            raise ApiError("You may only specify one of these parameters: starting_after, ending_before.")
        for name, cursor in (("starting_after", after), ("ending_before", before)):
            if cursor is not None and till.store.get(cursor, kind) is None:
                raise missing(kind, cursor, name, status=400)
        equal = {name: value for name in filters if (value := params.text(name)) is not None}
        docs, more = till.store.page(
            kind,
            limit=limit,
            equal=equal,
            created=_created(params),
            types=params.texts("types") or None,
            after=after,
            before=before,
        )
        return shapes.listing(url, docs, more)

    return handle


def getter(kind: str) -> Callable[[Till, Params, str], Doc]:
    """The handler of GET for one document of a kind."""

    def handle(till: Till, params: Params, id: str) -> Doc:
        doc = till.store.get(id, kind)
        if doc is None:
            raise missing(kind, id, "id")
        return doc

    return handle


def event(till: Till, params: Params, id: str) -> Doc:
    """GET /v1/events/{id}, with how many webhooks are still to be delivered."""
    doc = getter("event")(till, params, id)
    row = till.store.db.execute(
        "SELECT count(*) AS n FROM deliveries WHERE event = ? AND state = 'pending'", (id,)
    ).fetchone()
    doc["pending_webhooks"] = row["n"]
    return doc


def expand(store: Store, doc: Doc, paths: list[str]) -> Doc:
    """`doc` with the ids at `paths` (such as `latest_charge.balance_transaction`) replaced by their documents."""
    for path in paths:
        steps = path.split(".")
        if len(steps) > _MAX_DEPTH:
            raise ApiError("You cannot expand more than 4 levels of a property.", param="expand")
        _expand(store, doc, steps, path)
    return doc


def _expand(store: Store, node: Any, steps: list[str], path: str) -> None:
    if isinstance(node, list):
        for item in node:
            _expand(store, item, steps, path)
        return
    if node is None or not steps:
        return
    name, rest = steps[0], steps[1:]
    if isinstance(node, dict) and node.get("object") == "charge" and name == "refunds":
        docs, more = store.page("refund", limit=10, equal={"charge": node["id"]})
        node.setdefault("refunds", shapes.listing(f"/v1/charges/{node['id']}/refunds", docs, more))
    if not isinstance(node, dict) or name not in node:
        raise ApiError(f"This property cannot be expanded ({path}).", param="expand")
    value = node[name]
    if isinstance(value, str):
        found = store.get(value) if value.startswith(_PREFIXES) else None
        if found is None:
            raise ApiError(f"This property cannot be expanded ({path}).", param="expand")
        node[name] = value = found
    elif isinstance(value, list) and value and all(isinstance(item, str) for item in value):
        node[name] = value = [store.get(item) or item for item in value]
    _expand(store, value, rest, path)


def _created(params: Params) -> dict[str, int]:
    if isinstance(params.raw("created"), str):
        exact = params.integer("created", 0)
        return {"gte": exact, "lte": exact}
    given = params.inside("created")
    given.only({"gt", "gte", "lt", "lte"})
    return {name: second for name in ("gt", "gte", "lt", "lte") if (second := given.integer(name)) is not None}
