"""Every letter has its pictures in docs/mail, and they are small."""

from __future__ import annotations

import pytest

from services.notifications.locales.en import ENGLISH
from tests.notifications import pictures

MOST_BYTES = 2_000_000
"""Of all of them: whoever clones the repository has them too."""


@pytest.mark.requirement("notify-people")
def test_every_letter_has_a_picture_for_a_phone_and_for_a_desktop() -> None:
    assert pictures.letters().keys() == ENGLISH.wordings.keys()
    assert {file.name for file in pictures.PLACE.glob("*.png")} == pictures.names(), "make pictures"
    assert (pictures.PLACE / "README.md").read_text() == pictures.page(), "make pictures"


def test_pictures_are_small_and_of_the_width_that_their_name_says() -> None:
    files = sorted(pictures.PLACE.glob("*.png"))
    assert sum(file.stat().st_size for file in files) < MOST_BYTES
    for file in files:
        width, height = (int.from_bytes(file.read_bytes()[at : at + 4]) for at in (16, 20))  # PNG, 11.2.2: IHDR
        assert (width, height) == pictures.WIDTHS[file.name.split(".")[-2]]


def test_without_chromium_it_is_said_and_nothing_is_drawn(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(pictures, "TOOLS", ("no-such-browser",))
    assert pictures.main() == 0
    assert capsys.readouterr().out.startswith("SKIPPED: there is no no-such-browser here")
