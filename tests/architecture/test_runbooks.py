"""docs/runbooks has every alert, raised when its table says so, with a link to the section that explains it."""

from __future__ import annotations

import re
from collections.abc import Mapping
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
INDEX = ROOT / "docs" / "runbooks" / "README.md"
OPERATING = ROOT / "docs" / "operating.md"
PAGES = {
    page: page.read_text()
    for page in (OPERATING, *sorted(INDEX.parent.glob("*.md")), *sorted(ROOT.glob("services/*/README.md")))
}
DECLARED = re.compile(r'\b(?:Counter|Gauge|Histogram|Summary)\(\s*"(\w+)"')
METRICS = {name for file in ROOT.glob("services/**/*.py") for name in DECLARED.findall(file.read_text())}
LINK = re.compile(r"\]\(([^)#]+)#([^)]+)\)")


def sections(page: str) -> dict[str, str]:
    """Text by anchor, as GitHub makes one of a heading."""
    parts = re.split(r"^##+ (.+)$", page, flags=re.MULTILINE)
    anchors = [re.sub(r"[^\w\- ]", "", heading.lower()).replace(" ", "-") for heading in parts[1::2]]
    return dict(zip(anchors, parts[2::2], strict=True))


def rows(section: str) -> dict[str, str]:
    """The first cell of each row of its table, and the rest of the row."""
    lines = [line.split(" | ", 1) for line in section.splitlines() if line.startswith("| ")]
    return {first.removeprefix("| "): rest for first, rest in lines[1:]}


def named(text: str) -> set[str]:
    """The metrics that a text names, and what looks like one."""
    return set(re.findall(r"`(booking_[a-z_]+)[`{]", text))


def wrong(pages: Mapping[Path, str], metrics: set[str]) -> list[str]:
    """What is amiss with the index, a sentence each."""
    alerts = {cell for page in pages for cell in rows(sections(pages[page]).get("alerts", ""))}
    alerts |= {cell for cell in rows(sections(pages[OPERATING])["by-symptom"]) if named(cell)}
    parts = sections(pages[INDEX])
    rest = named("".join(rows(parts.pop("no-alerts"))))
    index = {cell: row for part in parts.values() for cell, row in rows(part).items()}

    found = [f"{cell}: not in the index" for cell in sorted(alerts - index.keys())]
    found += [f"{cell}: in no table of alerts" for cell in sorted(index.keys() - alerts)]
    found += [
        f"{cell}: no link to the section that has it" for cell in sorted(index) if not explained(cell, index, pages)
    ]
    linked = {path for row in index.values() for path, _ in LINK.findall(row)}
    found += [
        f"{page.name}: not linked"
        for page in pages
        if page.parent == INDEX.parent and page != INDEX and page.name not in linked
    ]
    in_index = named("".join(index))
    found += [f"{name}: neither an alert nor said to be none" for name in sorted(metrics - in_index - rest)]
    found += [f"{name}: an alert, and said to be none" for name in sorted(in_index & rest)]
    return found + [f"{name}: no metric" for name in sorted((in_index | rest) - metrics)]


def explained(cell: str, index: Mapping[str, str], pages: Mapping[Path, str]) -> bool:
    """Whether each of the row's links leads somewhere, and one to a section that has the alert."""
    links = [((INDEX.parent / path).resolve(), anchor) for path, anchor in LINK.findall(index[cell])]
    targets = [sections(pages.get(page, "")).get(anchor) for page, anchor in links]
    return all(targets) and any(cell in target for target in targets if target)


@pytest.mark.requirement("observability")
def test_every_alert_is_in_the_index_and_every_metric_is_accounted_for() -> None:
    assert wrong(PAGES, METRICS) == []
    assert len(METRICS) > 40


PAYMENTS = ROOT / "services" / "payments" / "README.md"
ALERT = "| `booking_payments_reports_open` > 0 |"


@pytest.mark.parametrize(
    ("page", "before", "after", "seen"),
    [
        (
            INDEX,
            ALERT,
            "| `booking_payments_reports_open` > 5 |",
            "`booking_payments_reports_open` > 0: not in the index",
        ),
        (INDEX, "BookingOutboxOld.md#", "BookingTimersLate.md#", "BookingOutboxOld.md: not linked"),
        (PAYMENTS, ALERT, "| `booking_payments_orphans` > 0 |", "`booking_payments_orphans` > 0: not in the index"),
        (PAYMENTS, "\n## Alerts\n", "\n## Alarms\n", "`booking_payments_reports_open` > 0: in no table of alerts"),
        (
            PAYMENTS,
            "\n## Comparison\n",
            "\n## Compared\n",
            "`booking_payments_not_agreeing` > 0: no link to the section",
        ),
        (
            INDEX,
            "../operating.md#sagas",
            "../operation.md#sagas",
            "`booking_sagas_stuck` > 0, a mail *saga stuck*: no link",
        ),
        (
            INDEX,
            "| `booking_sagas` |",
            "| `booking_sagas`, `booking_sagas_stuck` |",
            "booking_sagas_stuck: an alert, and said to be none",
        ),
        (INDEX, "`booking_outbox_rows`, ", "", "booking_outbox_rows: neither an alert nor said to be none"),
        (
            INDEX,
            "`booking_outbox_rows`, ",
            "`booking_outbox_rows`, `booking_outbox_pages`, ",
            "booking_outbox_pages: no metric",
        ),
    ],
)
def test_a_gap_is_seen(page: Path, before: str, after: str, seen: str) -> None:
    assert before in PAGES[page]
    found = wrong({**PAGES, page: PAGES[page].replace(before, after)}, METRICS)
    assert [sentence for sentence in found if sentence.startswith(seen)]


def test_a_metric_that_nobody_has_written_down_is_seen() -> None:
    (name,) = DECLARED.findall('planted = Gauge(\n    "seats_lost", "Planted")')
    assert wrong(PAGES, METRICS | {name}) == ["seats_lost: neither an alert nor said to be none"]
