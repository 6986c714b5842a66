"""Currencies Stripe takes, the smallest charge in each, how amounts are written (page "Currencies")."""

from stripe_simulator.errors import invalid


def _codes(text: str) -> frozenset[str]:
    return frozenset(text.split())


SUPPORTED = _codes(
    """
    aed afn all amd ang aoa ars aud awg azn bam bbd bdt bgn bif bmd bnd bob brl bsd bwp byn bzd cad cdf chf
    clp cny cop crc cve czk djf dkk dop dzd egp etb eur fjd fkp gbp gel gip gmd gnf gtq gyd hkd hnl htg huf
    idr ils inr isk jmd jpy kes kgs khr kmf krw kyd kzt lak lbp lkr lrd lsl mad mdl mga mkd mmk mnt mop mur
    mvr mwk mxn myr mzn nad ngn nio nok npr nzd pab pen pgk php pkr pln pyg qar ron rsd rub rwf sar sbd scr
    sek sgd shp sle sos srd std szl thb tjs top try ttd twd tzs uah ugx usd uyu uzs vnd vuv wst xaf xcd xof
    xpf yer zar zmw bhd jod kwd omr tnd
    """
)
ZERO_DECIMAL = _codes("bif clp djf gnf jpy kmf krw mga pyg rwf ugx vnd vuv xaf xof xpf")
THREE_DECIMAL = _codes("bhd jod kwd omr tnd")
STEPS_MINOR = {**dict.fromkeys(THREE_DECIMAL, 10), "isk": 100, "ugx": 100}
SMALLEST_MINOR = {
    "aed": 200,
    "bgn": 100,
    "czk": 1500,
    "dkk": 250,
    "gbp": 30,
    "hkd": 400,
    "huf": 17500,
    "mxn": 1000,
    "myr": 200,
    "nok": 300,
    "pln": 200,
    "ron": 200,
    "sek": 300,
    "thb": 1000,
}
SMALLEST_ELSEWHERE_MINOR = 50
LARGEST_MINOR = 99_999_999
SYMBOLS = {"eur": "€", "usd": "$", "gbp": "£", "jpy": "¥"}


def currency_code(given: str) -> str:
    """The code in lower case. Raises Stripe's 400 for a currency it does not take."""
    code = given.lower()
    if code not in SUPPORTED:
        known = ", ".join(sorted(SUPPORTED))
        message = f"Invalid currency: {given}. Stripe currently supports these currencies: {known}"
        raise invalid(message, param="currency")
    return code


def check_steps(amount_minor: int, currency: str, param: str = "amount") -> None:
    """Raises 400 for an amount that is no multiple of what the card networks take (page "Currencies"; for ISK the text
    is Stripe's own, support page "Deprecation of fractional ISK charges and refunds")."""
    step = STEPS_MINOR.get(currency, 1)
    if amount_minor % step == 0:
        return
    if currency in THREE_DECIMAL:
        message = f"Invalid amount. Amounts in {currency.upper()} must be evenly divisible by {step}."
        raise invalid(message, param=param)
    message = (
        f"Invalid amount. Currency {currency.upper()} has become effectively zero-decimal and charged amounts must be "
        f"evenly divisible by {step}."
    )
    raise invalid(message, param=param, code="invalid_charge_amount_no_decimal_compatible")


def check_charge_amount(amount_minor: int, currency: str) -> None:
    """Raises amount_too_small, amount_too_large or parameter_invalid_integer for what cannot be charged, and what
    `check_steps` raises."""
    if amount_minor < 1:
        message = "This value must be greater than or equal to 1."
        raise invalid(message, param="amount", code="parameter_invalid_integer")
    smallest = SMALLEST_MINOR.get(currency, SMALLEST_ELSEWHERE_MINOR)
    if amount_minor < smallest:
        message = f"Amount must be at least {money(smallest, currency)} {currency}"
        raise invalid(message, param="amount", code="amount_too_small")
    if amount_minor > LARGEST_MINOR:
        message = f"Amount must be no more than {money(LARGEST_MINOR, currency)}"
        raise invalid(message, param="amount", code="amount_too_large")
    check_steps(amount_minor, currency)


def money(amount_minor: int, currency: str) -> str:
    """`€45.00`, `¥500`, `CHF 10.00`: the way amounts stand in Stripe's error messages."""
    decimals = 0 if currency in ZERO_DECIMAL else 3 if currency in THREE_DECIMAL else 2
    symbol = SYMBOLS.get(currency, f"{currency.upper()} ")
    return f"{symbol}{amount_minor / 10**decimals:,.{decimals}f}"
