"""Test methods of banks: debits that take their time, and pages and apps where the payer agrees at once.

None of them can be authorised first and captured later. Debits follow https://docs.stripe.com/testing#payment-methods
and the test numbers on the pages of SEPA and ACH debits; the others have no token there: they are made by type.
"""

from sandbox.kinds import Ending, Method

_COUNTRIES = "at be ch de ee es fi fr gb gi hr ie li lt lu nl no pt se".split()
_DELAY = 180.0
_AUSTRIAN = {
    "AT611904300234573201": "pm_success_at",
    "AT321904300235473204": "pm_successDelayed_at",
    "AT861904300235473202": "pm_failed_at",
    "AT051904300235473205": "pm_failedDelayed_at",
    "AT591904300235473203": "pm_disputed_at",
    "AT981904300000343434": "pm_exceedsWeeklyVolumeLimit_at",
    "AT601904300000121212": "pm_exceedsWeeklyTransactionLimit_at",
    "AT981904300002222227": "pm_insufficientFunds_at",
}
_ACCOUNTS = {
    "000123456789": "pm_usBankAccount_success",
    "000111111116": "pm_usBankAccount_noAccount",
    "000111111113": "pm_usBankAccount_accountClosed",
    "000222222227": "pm_usBankAccount_insufficientFunds",
    "000333333335": "pm_usBankAccount_debitNotAuthorized",
    "000000000009": "pm_usBankAccount_processing",
}


def _ach(name: str, bank: Ending, failure: str = "insufficient_funds") -> Method:
    return Method(f"pm_usBankAccount_{name}", type="us_bank_account", last4="6789", bank=bank, failure=failure)


def _sepa(
    name: str, country: str, bank: Ending, failure: str = "generic_could_not_process", delay: float = 0
) -> Method:
    return Method(
        f"pm_{name}_{country}",
        type="sepa_debit",
        last4="3201",
        country=country.upper(),
        bank=bank,
        failure=failure,
        delay=delay,
        dispute="debit_not_authorized" if name == "disputed" else None,
    )


def _sepa_of(country: str) -> tuple[Method, ...]:
    return (
        _sepa("success", country, "succeeds"),
        _sepa("successDelayed", country, "succeeds", delay=_DELAY),
        _sepa("failed", country, "fails"),
        _sepa("failedDelayed", country, "fails", delay=_DELAY),
        _sepa("disputed", country, "succeeds"),
        _sepa("exceedsWeeklyVolumeLimit", country, "fails", "charge_exceeds_source_limit"),
        _sepa("exceedsWeeklyTransactionLimit", country, "fails", "charge_exceeds_weekly_limit"),
        _sepa("insufficientFunds", country, "fails", "insufficient_funds"),
    )


METHODS = (
    _ach("success", "succeeds"),
    _ach("processing", "waits"),
    _ach("insufficientFunds", "fails"),
    _ach("accountClosed", "fails", "account_closed"),
    _ach("noAccount", "fails", "no_account"),
    _ach("debitNotAuthorized", "fails", "debit_not_authorized"),
    *(method for country in _COUNTRIES for method in _sepa_of(country)),
    Method("ideal", type="ideal", country="NL", challenge="always"),
    Method("bancontact", type="bancontact", country="BE", challenge="always"),
    Method("alipay", type="alipay", country="CN", challenge="always"),
    Method("upi", type="upi", country="IN", challenge="always"),
)

CURRENCIES = {
    "us_bank_account": "usd",
    "sepa_debit": "eur",
    "ideal": "eur",
    "bancontact": "eur",
    "alipay": "usd",
    "upi": "inr",
}
"""The one currency that each type is paid in here; Alipay knows more."""

REDIRECTS = frozenset({"ideal", "bancontact", "alipay"})
"""Types whose payer has to leave the shop's page."""

MANDATED = frozenset({"us_bank_account", "sepa_debit"})
"""Types that need the payer's word that the account may be debited."""


def by_account(type: str, number: str | None) -> str | None:
    """The name of the test method behind an IBAN, an account number, or a type that has none; None for no such."""
    if type in REDIRECTS or type == "upi":
        return type
    table = _AUSTRIAN if type == "sepa_debit" else _ACCOUNTS
    return table.get((number or "").replace(" ", ""))
