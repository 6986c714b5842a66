"""How texts of commands are read: each by one library, to the one form that is kept and told (customer-contact).

A reader returns that form, or raises ValueError with what follows the field's name in the refusal.
"""

from __future__ import annotations

import re
import unicodedata
from functools import cache, lru_cache
from importlib import resources

import phonenumbers
from booking_contracts.addresses import ascii_address
from booking_contracts.texts import Reading

_PHONE = "must be a phone number with + and the code of its country, e.g. +49 30 123456"
_LOCALE = "must be a language tag (BCP 47), e.g. de-DE"


def visible(text: str) -> str:
    """The text, where it shows something to read."""
    if not any(_shows(character) for character in text):
        raise ValueError("must hold something to read, not only spaces, marks and invisible characters")
    return text


_BLANK = frozenset("\u115f\u1160\u2800\u3164\uffa0\ufffc\U00013441\U00013442\U0001d159")
"""Letters and symbols by their category, and blank: fillers of Hangul, Braille without dots, an object that is not
there, blanks among hieroglyphs, a note without a head."""


def _shows(character: str) -> bool:
    """Letters, numbers, punctuation, symbols: no marks, which need a base, no separators, controls, unassigned."""
    return unicodedata.category(character)[0] in "LNPS" and character not in _BLANK


@lru_cache(10_000)
def phone(text: str) -> str:
    """Any usual writing of a number with its country, to E.164; where it is dialled is not known, so 00 is no +.

    Letters are refused: phonenumbers would dial those of a keypad, also those of a remark beside the number.
    """
    shown = "".join(character for character in text if unicodedata.category(character) != "Cf")
    if not re.match(r"\W*[+＋]", shown) or any(character.isalpha() for character in shown):
        raise ValueError(_PHONE)
    try:
        number = phonenumbers.parse(" ".join(shown.split()), None)
    except phonenumbers.NumberParseException:
        raise ValueError(_PHONE) from None
    if number.extension:
        raise ValueError("must be a phone number without an extension, e.g. +49 30 123456")
    normal: str = phonenumbers.format_number(number, phonenumbers.PhoneNumberFormat.E164)
    if not phonenumbers.is_possible_number(number) or not 7 <= len(normal) - 1 <= 15:
        raise ValueError("must be a phone number with as many digits as its country has, e.g. +49 30 123456")
    return normal


_TAG = re.compile(
    r"""
    (?: (?: [a-z]{2,3} (?: -[a-z]{3} ){0,3} | [a-z]{4,8} )  # language, its extensions
        (?: -[a-z]{4} )?                                    # script
        (?: -(?: [a-z]{2} | [0-9]{3} ) )?                   # region
        (?: -(?: [a-z0-9]{5,8} | [0-9][a-z0-9]{3} ) )*      # variants
        (?: -[0-9a-wy-z] (?: -[a-z0-9]{2,8} )+ )*           # extensions
        (?: -x (?: -[a-z0-9]{1,8} )+ )?                     # private use
    |   x (?: -[a-z0-9]{1,8} )+
    |   i-(?: ami | bnn | default | enochian | hak | klingon | lux | mingo | navajo | pwn | tao | tay | tsu )
    |   en-gb-oed | sgn-be-fr | sgn-be-nl | sgn-ch-de       # irregular, and so is i-
    )
    """,
    re.ASCII | re.IGNORECASE | re.VERBOSE,
)
"""RFC 5646, section 2.1, as a whole. The regular ones among the grandfathered tags are well-formed by the rest."""


def locale(text: str) -> str:
    """A well-formed language tag, known or not: letters fall back along it. `en_US`, as Java writes it, is en-US."""
    tag = text.replace("_", "-")
    if not _TAG.fullmatch(tag):
        raise ValueError(_LOCALE)
    return tag


@cache
def _zones() -> frozenset[str]:
    """IANA's names, from the package alone: what a machine has besides (localtime, posix/…) others do not know."""
    named = resources.files("tzdata").joinpath("zones").read_text(encoding="utf-8").split()
    return frozenset(named) - {"Factory"}  # IANA: what a machine says that nobody has set up


def timezone(text: str) -> str:
    """An IANA zone name."""
    if text not in _zones():
        raise ValueError("must be an IANA time zone, e.g. Europe/Berlin")
    return text


READING: Reading = {
    "text": visible,
    "email": ascii_address,
    "phone": phone,
    "locale": locale,
    "timezone": timezone,
}
