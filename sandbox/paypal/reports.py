"""Lists: transactions as the transaction search has them, and disputes. Late or early by nothing: both are at once."""

import calendar
import time
from collections.abc import Mapping

from sandbox.paypal import PREFIX
from sandbox.paypal.hooks import emit
from sandbox.paypal.orders import of, part_of
from sandbox.paypal.wire import Refusal, linked, missing, moment
from sandbox.store import Doc, Store
from sandbox.till import Till

_CODES = {"authorizations": "T1300", "captures": "T0006", "refunds": "T1107"}
_STATES = {"PENDING": "P", "VOIDED": "V", "DENIED": "D"}
_KINDS = "kind IN ('paypal_authorizations', 'paypal_captures', 'paypal_refunds')"
_LONGEST = 31 * 86400


def transactions(till: Till, query: Mapping[str, str]) -> Doc:
    """GET /v1/reporting/transactions, the oldest first; balance_affecting_records_only=N has authorisations too."""
    since, until = second(query.get("start_date")), second(query.get("end_date"))
    if until - since > _LONGEST:
        raise Refusal(400, "INVALID_REQUEST", "Date range is greater than 31 days.")
    page, size = int(query.get("page", "1")), min(500, int(query.get("page_size", "100")))
    where, args = f"{_KINDS} AND created BETWEEN ? AND ?", [since, until]
    if query.get("balance_affecting_records_only", "Y") == "Y":
        where += " AND kind <> 'paypal_authorizations'"
    total = till.store.db.execute(f"SELECT count(*) AS n FROM objects WHERE {where}", args).fetchone()["n"]
    rows = till.store.db.execute(
        f"SELECT id FROM objects WHERE {where} ORDER BY created, seq LIMIT ? OFFSET ?",
        [*args, size, (page - 1) * size],
    )
    return {
        "transaction_details": [{"transaction_info": _told(till, row["id"])} for row in rows],
        "account_number": "SANDBOXMERCHANT",
        "start_date": moment(since),
        "end_date": moment(until),
        "last_refreshed_datetime": moment(till.now),
        "page": page,
        "total_items": total,
        "total_pages": max(1, -(-total // size)),
    }


def disputes(till: Till, query: Mapping[str, str]) -> Doc:
    """GET /v1/customer/disputes, by `start_time`, the newest first."""
    since = second(query.get("start_time", "1970-01-01T00:00:00Z"))
    docs, _ = till.store.page("paypal_dispute", limit=50, created={"gte": since})
    items = [doc["paypal"] for doc in docs]
    return {"items": items, "links": [linked(till.base_url, f"{PREFIX}/v1/customer/disputes", "self")]}


def raise_dispute(till: Till, capture_id: str) -> None:
    """Timer: the payer says that they never got what they paid for."""
    order, taken = part_of(till, capture_id, "captures")
    dispute = {
        "dispute_id": f"PP-D-{capture_id[:10]}",
        "create_time": moment(till.now),
        "update_time": moment(till.now),
        "reason": "MERCHANDISE_OR_SERVICE_NOT_RECEIVED",
        "status": "OPEN",
        "dispute_state": "REQUIRED_ACTION",
        "dispute_life_cycle_stage": "CHARGEBACK",
        "dispute_amount": taken["amount"],
        "disputed_transactions": [
            {
                "seller_transaction_id": capture_id,
                "custom": taken.get("custom_id"),
                "invoice_number": taken.get("invoice_id"),
                "reference_id": order["id"],
            }
        ],
    }
    id = dispute["dispute_id"]
    till.store.insert({"id": id, "object": "paypal_dispute", "created": till.now, "paypal": dispute})
    emit(till, "CUSTOMER.DISPUTE.CREATED", "dispute", dispute)


def books(store: Store) -> list[Doc]:
    """What was taken (captures) and sent back (refunds) on this side, per currency, in major units."""
    rows = store.db.execute(
        "SELECT json_extract(a.value, '$.amount.currency_code') AS currency, p.key AS kind,"
        " sum(CAST(json_extract(a.value, '$.amount.value') AS REAL)) AS amount"
        " FROM objects o, json_each(o.body, '$.paypal.purchase_units[0].payments') p, json_each(p.value) a"
        " WHERE o.kind = 'paypal_order' AND p.key IN ('captures', 'refunds') GROUP BY 1, 2"
    )
    return [dict(row) for row in rows]


def second(text: str | None) -> int:
    """A time of a query as seconds since the epoch; raises Refusal."""
    try:
        return calendar.timegm(time.strptime((text or "").partition(".")[0].removesuffix("Z"), "%Y-%m-%dT%H:%M:%S"))
    except ValueError as error:
        raise Refusal(400, "INVALID_REQUEST", "A date is missing, or is no internet date and time in UTC.") from error


def _told(till: Till, id: str) -> Doc:
    record = till.store.get(id)
    if record is None:
        raise missing()
    order, part = of(till, record["order"]), part_of(till, id)[1]
    is_refund = record["part"] == "refunds"
    sign = "-" if is_refund else ""
    return {
        "transaction_id": id,
        "paypal_reference_id": part["capture_id"] if is_refund else order["id"],
        "paypal_reference_id_type": "TXN" if is_refund else "ODR",
        "transaction_event_code": _CODES[record["part"]],
        "transaction_initiation_date": part["create_time"],
        "transaction_updated_date": part["update_time"],
        "transaction_amount": part["amount"] | {"value": f"{sign}{part['amount']['value']}"},
        "transaction_status": _STATES.get(part["status"], "S"),
        "custom_field": part.get("custom_id"),
        "invoice_id": part.get("invoice_id"),
    }
