"""Which language a person is written to in, whatever tag their device has named."""

from __future__ import annotations

import pytest

from services.notifications.locales import understood


@pytest.mark.requirement("notify-people", "customer-contact")
@pytest.mark.parametrize(
    ("tag", "locale"),
    [
        *(("en-US-u-hc-h12", "en_US"), ("de-DE-u-co-phonebk", "de_DE"), ("de-CH-1996-x-a-b", "de_CH")),
        *(("de-XX", "de"), ("de-AT-t-it-x-y", "de_AT"), ("en-GB-oed", "en_GB"), ("de-x-a", "de")),
        *(("zh-Hant-TW", "en"), ("sr-Latn", "en"), ("x-private", "en"), ("i-klingon", "en"), ("xx-YY", "en")),
    ],
)
def test_a_tag_falls_back_along_itself_and_then_to_english(tag: str, locale: str) -> None:
    """RFC 4647, section 3.4."""
    assert str(understood(tag)) == locale
