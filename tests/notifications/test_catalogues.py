"""What letters say is complete in every language, and nothing of it is said by no letter."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from booking_contracts.types import Money

from services.booking.lifecycle.failed_and_expired import CUSTOMER_MESSAGES
from services.notifications.locales import LANGUAGES, understood
from services.notifications.locales.catalogue import HERE, TEMPLATE, faults, placeholders, source, template, updated
from services.notifications.locales.en import ENGLISH
from services.notifications.locales.en_reasons import REASONS
from services.notifications.locales.fields import FACTS, fields_of, variant_of
from services.notifications.locales.language import ALIASES, Language
from services.payments.model import declines
from tests.notifications.every_letter import every_letter

pytestmark = pytest.mark.requirement("notify-people")
CATALOGUES = sorted(HERE.glob("*.po"))
GERMAN = (HERE / "de.po").read_text()


@pytest.mark.parametrize("file", CATALOGUES, ids=lambda file: file.stem)
def test_a_language_says_all_that_english_says_with_the_same_values(file: Path) -> None:
    assert list(faults(file.read_bytes())) == []


def test_german_is_one_of_them_and_the_template_is_up_to_date() -> None:
    assert [file.stem for file in CATALOGUES] == ["de"]
    assert LANGUAGES.keys() == {"en", "de"}
    assert TEMPLATE.read_bytes() == template(), "make translations"


def planted(old: str, new: str) -> list[str]:
    assert GERMAN.count(old) == 1
    return list(faults(GERMAN.replace(old, new).encode()))


CLOSING = 'msgctxt "closing"\nmsgid "This message was sent automatically."\n'
AUTOMATIC = 'msgstr "Diese Nachricht wurde automatisch versandt."'
WHOLE = f"{CLOSING}{AUTOMATIC}"


@pytest.mark.parametrize(
    ("old", "new", "fault"),
    [
        (WHOLE, "", "closing is missing"),
        (WHOLE, f'{WHOLE}\n\nmsgctxt "label.phone"\nmsgid "Phone"\nmsgstr "T"', "label.phone is used nowhere"),
        (
            WHOLE,
            f'{WHOLE}\n\n#~ msgctxt "label.phone"\n#~ msgid "Phone"\n#~ msgstr "T"',
            "label.phone is left over",
        ),
        (AUTOMATIC, 'msgstr ""', "closing is not translated"),
        (WHOLE, f"#, fuzzy\n{WHOLE}", "closing is marked as fuzzy: look at it, then take the mark off"),
        ("sent automatically.", "written by nobody.", "closing is of another English text"),
        ('msgstr "Guten Tag {name},"', 'msgstr "Guten Tag,"', "greeting does not name ['name'] as the English does"),
        ('msgstr "Guten Tag {name},"', 'msgstr "Tag {nam},"', "greeting does not name ['name'] as the English does"),
        ('msgstr "Guten Tag {name},"', 'msgstr "Tag {name"', "greeting has braces that are no placeholder"),
    ],
)
def test_what_is_missing_or_wrong_is_found(old: str, new: str, fault: str) -> None:
    (found,) = planted(old, new)
    assert found.startswith(fault)


def test_an_english_text_that_changes_asks_its_translators_and_speaks_english_meanwhile() -> None:
    older = GERMAN.replace("This message was sent automatically.", "This message was sent by nobody.").encode()

    brought = updated(older, "de")

    assert b"#, fuzzy" in brought
    assert [fault for fault in faults(brought) if "closing" in fault] != []
    assert list(faults(updated(GERMAN.encode(), "de"))) == []


def said(language: Language) -> set[str]:
    """The keys of the wordings that some letter has."""
    return {language.key(one.kind, one.audience, variant_of(event)) for one, event in every_letter()}


@pytest.mark.parametrize("name", LANGUAGES)
def test_every_wording_is_said_by_some_letter(name: str) -> None:
    assert LANGUAGES[name].wordings.keys() - said(LANGUAGES[name]) == set()


@pytest.mark.parametrize("name", LANGUAGES)
def test_every_value_that_a_text_names_is_one_that_its_letters_have(name: str) -> None:
    language, known = LANGUAGES[name], set[str]()
    for letter, event in every_letter():
        found = fields_of(letter, understood(name))
        known |= {key for key, value in found.items() if value is not None}
        wording = language.wording(letter.kind, letter.audience, variant_of(event)) or ()
        assert {value for text in wording for value in placeholders(text)} <= found.keys()
    assert {value for texts in language.wordings.values() for text in texts for value in placeholders(text)} <= known


def test_every_label_is_a_fact_and_every_alias_leads_to_a_wording() -> None:
    assert {*ENGLISH.labels} == {*FACTS}
    assert {*ALIASES.values()} <= ENGLISH.wordings.keys()
    assert not {*ALIASES} & ENGLISH.wordings.keys()


def test_the_english_reasons_are_what_events_say() -> None:
    own = {one.code: one.customer_message for one in vars(declines).values() if isinstance(one, declines.Decline)}
    final = {code: declines.decline(code, of_request=True).customer_message for code in declines.FINAL}
    for code, text in {**own, **declines.SENTENCES, **final, **CUSTOMER_MESSAGES}.items():
        assert REASONS[code] == text
    assert declines.not_chargeable(Money(amount=1, currency="KWD")) is not None, "its code is worded, its amount is not"


def test_a_context_says_which_letter_and_line_it_is() -> None:
    subjects = {context for context in source() if re.fullmatch(r"letter\..*\.0", context)}
    assert {f"letter.{key}.0" for key in ENGLISH.wordings if ".admin" not in key} == subjects
