"""The languages that letters are written in, and which one a person gets."""

from __future__ import annotations

from babel import Locale, UnknownLocaleError

from services.notifications.locales.de import GERMAN
from services.notifications.locales.en import ENGLISH
from services.notifications.locales.language import Language

LANGUAGES: dict[str, Language] = {"en": ENGLISH, "de": GERMAN}
FALLBACK = Locale("en")


def understood(tag: str) -> Locale:
    """The locale of a BCP 47 tag; English where it is unknown or we do not write its language."""
    try:
        locale = Locale.parse(tag.replace("_", "-"), sep="-")
    except (UnknownLocaleError, ValueError):
        return FALLBACK
    return locale if locale.language in LANGUAGES else FALLBACK
