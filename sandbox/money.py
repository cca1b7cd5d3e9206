"""Stripe's rules for currencies and amounts; every amount is an integer of the currency's smallest unit."""

from sandbox.wire import ApiError

_ZERO_DECIMAL = frozenset("bif clp djf gnf jpy kmf krw mga pyg rwf ugx vnd vuv xaf xof xpf".split())
_THREE_DECIMAL = frozenset("bhd jod kwd omr tnd".split())
_OTHERS = frozenset(
    "usd aed afn all amd ang aoa ars aud awg azn bam bbd bdt bgn bmd bnd bob brl bsd bwp byn bzd cad cdf chf cny cop "
    "crc cve czk dkk dop dzd egp etb eur fjd fkp gbp gel gip gmd gtq gyd hkd hnl htg huf idr ils inr isk jmd kes kgs "
    "khr kyd kzt lak lbp lkr lrd lsl mad mdl mkd mmk mnt mop mur mvr mwk mxn myr mzn nad ngn nio nok npr nzd pab pen "
    "pgk php pkr pln qar ron rsd rub sar sbd scr sek sgd shp sle sos srd std szl thb tjs top try ttd twd tzs uah uyu "
    "uzs wst xcd yer zar zmw".split()
)
CURRENCIES = _ZERO_DECIMAL | _THREE_DECIMAL | _OTHERS
_MINIMUM = {
    "usd": 50, "aed": 200, "aud": 50, "brl": 50, "cad": 50, "chf": 50, "czk": 1500, "dkk": 250, "eur": 50, "gbp": 30,
    "hkd": 400, "huf": 17500, "inr": 50, "jpy": 50, "mxn": 1000, "myr": 200, "nok": 300, "nzd": 50, "pln": 200,
    "ron": 200, "sek": 300, "sgd": 50, "thb": 1000,
}  # fmt: skip
_MAXIMUM = 99_999_999


def decimals(currency: str) -> int:
    """How many decimal places Stripe gives a currency."""
    return 0 if currency in _ZERO_DECIMAL else 3 if currency in _THREE_DECIMAL else 2


def words(amount: int, currency: str) -> str:
    """An amount as Stripe's messages have it, such as `$12.50 usd`."""
    places = decimals(currency)
    sign = {"usd": "$", "eur": "€", "gbp": "£", "jpy": "¥"}.get(currency, "")
    return f"{sign}{amount / 10**places:.{places}f} {currency}"


def check_currency(currency: str) -> str:
    """The currency in lower case, or ApiError."""
    lower = currency.lower()
    if lower not in CURRENCIES:
        raise ApiError(f"Invalid currency: {lower}.", param="currency")
    return lower


def check_amount(amount: int, currency: str) -> None:
    """ApiError unless Stripe would charge this amount."""
    if amount < 1:
        raise ApiError(
            "This value must be greater than or equal to 1.", code="parameter_invalid_integer", param="amount"
        )
    if amount > _MAXIMUM:
        raise ApiError(
            f"Amount must be no more than {words(_MAXIMUM, currency)}", code="amount_too_large", param="amount"
        )
    minimum = _MINIMUM.get(currency, 1)
    if amount < minimum:
        raise ApiError(f"Amount must be at least {words(minimum, currency)}", code="amount_too_small", param="amount")
    if currency in _THREE_DECIMAL and amount % 10:
        raise ApiError(f"Amounts in {currency} must end in 0.", param="amount")


def fee(amount: int) -> int:
    """What the sandbox keeps of a capture: 2.9 % rounded half up, plus 30, never more than the amount."""
    return min(amount, (amount * 29 + 500) // 1000 + 30)
