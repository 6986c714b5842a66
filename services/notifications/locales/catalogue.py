"""What letters say as gettext catalogues: letters.pot is made from English, <language>.po is what translators work on.

`make translations` (`python -m services.notifications.locales.catalogue`) writes letters.pot and brings new and changed
texts into every .po, for Poedit, Weblate and their like; `--check` says what is missing, left over or wrong, and writes
nothing. A new language is a new .po: `msginit`, or a copy of letters.pot.
"""

from __future__ import annotations

import sys
from collections.abc import Iterator, Mapping
from io import BytesIO
from pathlib import Path
from string import Formatter

from babel.messages.catalog import Catalog, Message
from babel.messages.pofile import read_po, write_po

from services.notifications.locales.en import ENGLISH
from services.notifications.locales.en_reasons import REASONS
from services.notifications.locales.language import Language

HERE = Path(__file__).parent
TEMPLATE = HERE / "letters.pot"
OF_ADMIN = ".admin"
"""Letters to the admin are in English alone."""
_HEADER = """\
# What letters say. {braces} hold values: a translation has the same ones, in whatever order. A text's context names the
# letter, whom it goes to, what it is about where that changes it, and the line: 0 is the subject.
msgid ""
msgstr ""
"Project-Id-Version: booking letters\\n"
"Language: %s\\n"
"MIME-Version: 1.0\\n"
"Content-Type: text/plain; charset=utf-8\\n"
"Content-Transfer-Encoding: 8bit\\n"

"""
Texts = dict[str, str]
"""English, by context."""


def source() -> Texts:
    """Every text that another language needs."""
    found = {"greeting": ENGLISH.greeting, "closing": ENGLISH.closing, "unsubscribe": ENGLISH.unsubscribe}
    groups: dict[str, Mapping[str, str]] = {"label": ENGLISH.labels, "page": ENGLISH.page, "reason": REASONS}
    found |= {f"{group}.{name}": text for group, texts in groups.items() for name, text in texts.items()}
    for key, wording in ENGLISH.wordings.items():
        if OF_ADMIN not in key:
            found |= {f"letter.{key}.{number}": text for number, text in enumerate(wording)}
    return found


def language(name: str) -> Language:
    """A language of a .po beside this file. What it does not say, or not for sure, is English."""
    catalogue = _read((HERE / f"{name}.po").read_bytes())

    def said(context: str, text: str) -> str:
        message = catalogue.get(text, context)
        return str(message.string) if message is not None and message.string and not message.fuzzy else text

    def group(name: str, texts: Mapping[str, str]) -> Texts:
        return {key: said(f"{name}.{key}", text) for key, text in texts.items()}

    return Language(
        greeting=said("greeting", ENGLISH.greeting),
        closing=said("closing", ENGLISH.closing),
        unsubscribe=said("unsubscribe", ENGLISH.unsubscribe),
        labels=group("label", ENGLISH.labels),
        page=group("page", ENGLISH.page),
        reasons=group("reason", REASONS),
        wordings={
            key: tuple(said(f"letter.{key}.{number}", text) for number, text in enumerate(wording))
            for key, wording in ENGLISH.wordings.items()
            if OF_ADMIN not in key
        },
    )


def faults(po: bytes) -> Iterator[str]:
    """What a translator, or who changed the English, has left undone."""
    catalogue, wanted = _read(po), source()
    found = {str(message.context): message for message in catalogue if message.id}
    yield from (f"{context} is missing" for context in wanted.keys() - found.keys())
    yield from (f"{context} is used nowhere" for context in found.keys() - wanted.keys())
    yield from (f"{one.context} is left over" for one in catalogue.obsolete.values())
    for context in sorted(wanted.keys() & found.keys()):
        yield from (f"{context} {problem}" for problem in _problems(found[context], wanted[context]))


def _problems(message: Message, text: str) -> Iterator[str]:
    if message.id != text:
        yield "is of another English text"
    if message.fuzzy:
        yield "is marked as fuzzy: look at it, then take the mark off"
    if not str(message.string).strip():
        yield "is not translated"
    else:
        try:
            if placeholders(str(message.string)) != placeholders(text):
                yield f"does not name {sorted(placeholders(text))} as the English does"
        except ValueError as error:
            yield f"has braces that are no placeholder: {error}"


def placeholders(text: str) -> set[str]:
    """The values that a text names."""
    return {name for _, name, _, _ in Formatter().parse(text) if name is not None}


def template() -> bytes:
    """letters.pot as the code has it."""
    return _written(_catalogue(source()), "")


def updated(po: bytes, name: str) -> bytes:
    """A .po with the texts of now: those that changed are marked as fuzzy, those that went are left over at its end."""
    catalogue = _read(po)
    catalogue.update(_catalogue(source()))
    return _written(catalogue, name)


def _catalogue(texts: Texts) -> Catalog:
    catalogue = Catalog()
    for context, text in texts.items():
        catalogue.add(text, context=context)
    return catalogue


def _read(po: bytes) -> Catalog:
    return read_po(BytesIO(po), abort_invalid=True)


def _written(catalogue: Catalog, name: str) -> bytes:
    """Without what Babel would say of itself and of today."""
    content = BytesIO()
    write_po(content, catalogue, omit_header=True, width=118)
    return (_HEADER % name).encode() + content.getvalue()


def main(check: bool) -> int:
    """1 where something is wrong, with --check."""
    catalogues = sorted(HERE.glob("*.po"))
    if check:
        found = [f"{file.name}: {fault}" for file in catalogues for fault in faults(file.read_bytes())]
        found += ["letters.pot is old"] if TEMPLATE.read_bytes() != template() else []
        sys.stdout.writelines(f"{line}\n" for line in found)
        return 1 if found else 0
    TEMPLATE.write_bytes(template())
    for file in catalogues:
        file.write_bytes(updated(file.read_bytes(), file.stem))
    return 0


if __name__ == "__main__":
    raise SystemExit(main("--check" in sys.argv[1:]))
