"""Active ISO 4217 currency codes (source: Unicode CLDR, currencies that are legal tender)."""

_CODES = """
AED AFN ALL AMD AOA ARS AUD AWG AZN BAM BBD BDT BGN BHD BIF BMD BND BOB BRL BSD BTN BWP BYN BZD CAD
CDF CHF CLP CNY COP CRC CUP CVE CZK DJF DKK DOP DZD EGP ERN ETB EUR FJD FKP GBP GEL GHS GIP GMD GNF
GTQ GYD HKD HNL HTG HUF IDR ILS INR IQD IRR ISK JMD JOD JPY KES KGS KHR KMF KPW KRW KWD KYD KZT LAK
LBP LKR LRD LSL LYD MAD MDL MGA MKD MMK MNT MOP MRU MUR MVR MWK MXN MYR MZN NAD NGN NIO NOK NPR NZD
OMR PAB PEN PGK PHP PKR PLN PYG QAR RON RSD RUB RWF SAR SBD SCR SDG SEK SGD SHP SLE SOS SRD SSP STN
SYP SZL THB TJS TMT TND TOP TRY TTD TWD TZS UAH UGX USD UYU UZS VES VND VUV WST XAF XCD XCG XOF XPF
YER ZAR ZMW ZWG
"""
ISO_4217 = frozenset(_CODES.split())

THREE_DECIMALS_BY_CARD = frozenset({"BHD", "JOD", "KWD", "OMR", "TND"})


def card_step_minor(currency: str) -> int:
    """What amounts by card are multiples of, in minor units: 10 where the currency has three decimals, else 1.

    Charges, refunds and transfers alike (docs.stripe.com/currencies, Three-decimal); a wallet pays any amount. HUF and
    TWD have steps of 100 there only when the account itself is paid out to its bank, which is not our business; ISK and
    UGX are counted otherwise at Stripe than in ISO 4217, and are not paid by card at all.
    """
    return 10 if currency in THREE_DECIMALS_BY_CARD else 1
