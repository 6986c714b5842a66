"""A time's zone is named as ICU names it, and never by a name of another offset.

zone_names.json is what ICU 78.2 (CLDR 48, tz 2025c) says in English of every IANA zone on 15 January, 15 February
(Ramadan, in which Morocco's clocks go back) and 15 July 2027, at noon UTC: by names and offsets, the zones. Made with
Node.js: `new Intl.DateTimeFormat("en", {timeZone, timeZoneName: "long"})`, and the same with "longOffset".
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from zoneinfo import ZoneInfo, available_timezones

import pytest
from babel import Locale

from services.notifications.locales.formats import instant
from services.notifications.locales.zones import zone_name

ENGLISH, GERMAN = Locale("en"), Locale("de")
INSTANTS = [datetime(2027, month, 15, 12, tzinfo=UTC) for month in (1, 2, 7)]

RENAMED = {
    ("West Africa Standard Time", "West Africa Time"),
    ("Hovd Standard Time", "Khovd Standard Time"),
    ("Volgograd Standard Time", "Moscow Standard Time"),
    ("Sakhalin Standard Time", "Magadan Standard Time"),
    ("Novosibirsk Standard Time", "Krasnoyarsk Standard Time"),
    ("Anadyr Standard Time", "Kamchatka Standard Time"),
    ("Greenwich Mean Time", "Coordinated Universal Time"),
}
"""(of the CLDR in babel, of the one in ICU): two names of the same time."""
WITHOUT_NAME = {
    *("Asia/Barnaul", "Asia/Famagusta", "Asia/Istanbul", "Asia/Srednekolymsk", "Asia/Tomsk", "Turkey"),
    *("Europe/Astrakhan", "Europe/Istanbul", "Europe/Kirov", "Europe/Saratov", "Europe/Ulyanovsk"),
}
"""Zones of which babel has no metazone, because it was another one once: their offset is written."""

Said = tuple[str, datetime, str, timedelta]


def _said_by_icu() -> Iterator[Said]:
    """(zone, instant, name, offset)"""
    table = json.loads((Path(__file__).parent / "zone_names.json").read_text())
    for names, zones in table.items():
        for zone in zones.split():
            for at, said in zip(INSTANTS, names.split(" | "), strict=True):
                name, _, offset = said.partition(" = ")
                yield zone, at, name, _offset(offset)


def _offset(gmt: str) -> timedelta:
    """Of a text like GMT-03:30."""
    found = re.fullmatch(r"GMT([+-])(\d\d):(\d\d)", gmt)
    assert found is not None, gmt
    ahead = timedelta(hours=int(found[2]), minutes=int(found[3]))
    return -ahead if found[1] == "-" else ahead


ZONES = available_timezones()  # walks the whole of tzdata, so once
ICU = [said for said in _said_by_icu() if said[0] in ZONES]
DENOTED = {name: offset for _, _, name, offset in ICU if not name.startswith("GMT")}


@pytest.mark.requirement("notify-people")
def test_every_zone_is_named_in_every_season_as_icu_names_it() -> None:
    assert len({zone for zone, *_ in ICU}) > 400
    otherwise = set()
    for zone, at, name, offset in ICU:
        local = at.astimezone(ZoneInfo(zone))
        said = zone_name(local, ENGLISH)
        if local.utcoffset() != offset:  # a law of after ICU's release
            continue
        without = zone in WITHOUT_NAME and said.startswith("GMT") and _offset(said) == offset
        if said != name and (said, name) not in RENAMED and not without:
            otherwise.add((zone, at.month, said, name))
    assert otherwise == set()


@pytest.mark.requirement("notify-people")
@pytest.mark.parametrize("locale", [ENGLISH, GERMAN], ids=str)
def test_no_name_is_one_of_another_offset_in_any_month_of_the_past_or_future(locale: Locale) -> None:
    """Also where a zone kept other hours in years that CLDR's table of today does not tell (Namibia, Caracas)."""
    months = [datetime(year, month, 15, 12, tzinfo=UTC) for year in range(2000, 2038) for month in range(1, 13, 2)]
    offsets: dict[str, set[timedelta | None]] = {}
    for zone in sorted({zone for zone, *_ in ICU}):
        for at in months:
            local = at.astimezone(ZoneInfo(zone))
            offsets.setdefault(zone_name(local, locale), set()).add(local.utcoffset())
    assert {name: found for name, found in offsets.items() if len(found) > 1} == {}
    for name, (offset,) in offsets.items():
        if name.startswith("GMT"):
            assert offset == _offset(name)
        elif locale is ENGLISH and name in DENOTED:
            assert offset == DENOTED[name], name


@pytest.mark.requirement("notify-people")
@pytest.mark.parametrize(
    ("zone", "at", "english", "german"),
    [
        ("Europe/Dublin", "2027-01-15", "Greenwich Mean Time", "Mittlere Greenwich-Zeit"),
        ("Europe/Dublin", "2027-07-15", "Irish Standard Time", "Irische Sommerzeit"),
        ("Europe/London", "2027-07-15", "British Summer Time", "Britische Sommerzeit"),
        ("Africa/Casablanca", "2027-01-15", "GMT+01:00", "GMT+01:00"),
        ("Africa/El_Aaiun", "2027-02-15", "GMT+00:00", "GMT+00:00"),
        ("Africa/Windhoek", "2016-07-15", "GMT+01:00", "GMT+01:00"),
        ("Africa/Windhoek", "2027-07-15", "Central Africa Time", "Zentralafrikanische Zeit"),
        ("Australia/Lord_Howe", "2027-01-15", "Lord Howe Daylight Time", "Lord-Howe-Sommerzeit"),
        ("Antarctica/Troll", "2027-07-15", "GMT+02:00", "GMT+02:00"),
        ("America/St_Johns", "2027-07-15", "Newfoundland Daylight Time", "Neufundland-Sommerzeit"),
        ("America/Caracas", "2010-07-15", "GMT-04:30", "GMT-04:30"),
        ("Asia/Kolkata", "2027-07-15", "India Standard Time", "Indische Normalzeit"),
        ("UTC", "2027-07-15", "Coordinated Universal Time", "Koordinierte Weltzeit"),
    ],
)
def test_places_whose_zone_is_an_exception(zone: str, at: str, english: str, german: str) -> None:
    noon = datetime.fromisoformat(f"{at}T12:00:00Z")

    assert instant(noon, ZoneInfo(zone), ENGLISH).endswith(f"({english}, {zone})")
    assert instant(noon, ZoneInfo(zone), GERMAN).endswith(f"({german}, {zone})")
