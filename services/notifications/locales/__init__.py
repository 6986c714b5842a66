"""The languages that letters are written in, and which one a person gets."""

from __future__ import annotations

from functools import lru_cache

from babel import Locale, UnknownLocaleError

from services.notifications.locales.catalogue import HERE, language
from services.notifications.locales.en import ENGLISH
from services.notifications.locales.language import Language

LANGUAGES: dict[str, Language] = {"en": ENGLISH, **{po.stem: language(po.stem) for po in sorted(HERE.glob("*.po"))}}
FALLBACK = Locale("en")


@lru_cache(1_000)
def understood(tag: str) -> Locale:
    """The locale of a BCP 47 tag; English where it is unknown or we do not write its language.

    What is not known of it is left off from the end (RFC 4647, 3.4: lookup): de-DE-u-co-phonebk is German of Germany.
    """
    subtags = tag.replace("_", "-").split("-")
    while subtags:
        try:
            locale = Locale.parse("-".join(subtags), sep="-")
        except (UnknownLocaleError, ValueError):
            subtags.pop()
        else:
            return locale if locale.language in LANGUAGES else FALLBACK
    return FALLBACK


def tag_of(locale: Locale) -> str:
    """Its BCP 47 tag."""
    return "-".join(filter(None, (locale.language, locale.script, locale.territory)))
