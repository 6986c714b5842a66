"""The languages that letters are written in, and which one a person gets."""

from __future__ import annotations

from babel import Locale, UnknownLocaleError

from services.notifications.locales.de import GERMAN
from services.notifications.locales.en import ENGLISH
from services.notifications.locales.language import Language

LANGUAGES: dict[str, Language] = {"en": ENGLISH, "de": GERMAN}
FALLBACK = Locale("en")


def understood(tag: str) -> Locale:
    """The locale of a BCP 47 tag, without what babel does not know at its end (RFC 4647, 3.4: de-CH-u-hc-h12 is de-CH).

    English where that leaves nothing, or we do not write its language.
    """
    parts = tag.replace("_", "-").split("-")
    for length in range(len(parts), 0, -1):
        try:
            locale = Locale.parse("-".join(parts[:length]), sep="-")
        except (UnknownLocaleError, ValueError):
            continue
        return locale if locale.language in LANGUAGES else FALLBACK
    return FALLBACK
