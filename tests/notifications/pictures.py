"""`python -m tests.notifications.pictures`: every letter as a phone and a desktop show it, into docs/mail.

By headless Chromium and pngquant, Debian's packages of these names; without them it says so and draws nothing.
"""

from __future__ import annotations

import shutil
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from tempfile import TemporaryDirectory

from booking_contracts.booking import BookingConfirmed

from services.notifications.locales.en import ENGLISH
from services.notifications.locales.fields import variant_of
from services.notifications.model.letters import Audience, Kind, Letter
from tests.notifications.builders import an, customer, html_of, letter_to, mail
from tests.notifications.every_letter import every_letter

PLACE = Path(__file__).parents[2] / "docs" / "mail"
WIDTHS = {"phone": (390, 844), "desktop": (800, 600)}
"""In CSS pixels, with a height that the letters fit into."""
TOOLS = ("chromium", "pngquant")
COLOURS = "16"
LINK = "https://bookings.example.org/unsubscribe/o5d2VHJHwNQk0h0kTTLyPDvyyC7hYVcp0yZzXyGWuYk"
DARK = ("--force-dark-mode", "--blink-settings=preferredColorScheme=0")


def letters() -> dict[str, Letter]:
    """By the key of its wording, in the order of the wordings; the first with that key is as good as any."""
    found: dict[str, Letter] = {}
    for letter, event in every_letter():
        found.setdefault(ENGLISH.key(letter.kind, letter.audience, variant_of(event)), letter)
    return {key: found[key] for key in ENGLISH.wordings}


def pictures() -> dict[str, tuple[Letter, tuple[str, ...]]]:
    """By the name of a picture without its width: the letter, and what Chromium is told besides."""
    german = an(BookingConfirmed, customer=customer(locale="de-DE"))
    hebrew = an(BookingConfirmed, offering_title="שיעור פסנתר", provider_name="שלום כהן", customer=customer(name="דנה"))
    return {
        **{key: (letter, ()) for key, letter in letters().items()},
        "confirmed.customer-dark": (letters()["confirmed.customer"], DARK),
        "confirmed.customer-german": (letter_to(Audience.CUSTOMER, german), ()),
        "confirmed.customer-names-in-hebrew": (letter_to(Audience.CUSTOMER, hebrew), ()),
    }


def names() -> set[str]:
    """Those of the files."""
    return {f"{name}.{width}.png" for name in pictures() for width in WIDTHS}


def page() -> str:
    """docs/mail/README.md: all of them."""
    lines = ["# How letters look", "", "Drawn by `make pictures` (tests/notifications/pictures.py).", ""]
    for name in pictures():
        lines += [f"## {name}", " ".join(f"![{name}, {width}]({name}.{width}.png)" for width in WIDTHS), ""]
    return "\n".join(lines)


def draw(name: str, width: str, folder: Path) -> None:
    """One picture."""
    (letter, told), (across, down) = pictures()[name], WIDTHS[width]
    source, raw = folder / f"{name}.{width}.html", folder / f"{name}.{width}.png"
    source.write_text(html_of(mail(letter, unsubscribe_url=LINK if letter.kind is Kind.REMINDER else None)))
    look = ["--headless", "--no-sandbox", "--disable-gpu", "--hide-scrollbars", "--disable-lcd-text", *told]
    profile = f"--user-data-dir={folder / f'{name}.{width}'}"
    chromium = ["chromium", *look, profile, f"--window-size={across},{down}", f"--screenshot={raw}", source.as_uri()]
    subprocess.run(chromium, check=True, capture_output=True, timeout=60)
    small = ["pngquant", "--force", "--nofs", "--speed", "1", COLOURS, "--output", str(PLACE / raw.name), str(raw)]
    subprocess.run(small, check=True, timeout=60)


def main() -> int:
    """Draw all of them anew, or those whose name begins with an argument."""
    if missing := [tool for tool in TOOLS if shutil.which(tool) is None]:
        print(f"SKIPPED: there is no {' and no '.join(missing)} here (apt-get install {' '.join(TOOLS)})")
        return 0
    PLACE.mkdir(exist_ok=True)
    wanted = [name for name in pictures() if name.startswith(tuple(sys.argv[1:]) or "")]
    with TemporaryDirectory() as folder, ThreadPoolExecutor(2) as two:
        jobs = [two.submit(draw, name, width, Path(folder)) for name in wanted for width in WIDTHS]
        for job in jobs:
            job.result()
    for file in PLACE.glob("*.png"):
        if file.name not in names():
            file.unlink()
    (PLACE / "README.md").write_text(page())
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
