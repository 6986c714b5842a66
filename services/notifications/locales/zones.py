"""What a zone's time is called at an instant: never by the name of another offset.

The names are CLDR's, by way of babel, but not chosen by babel's get_timezone_name: that one reads tzinfo.dst() as a
flag, which is negative in an Irish winter and elsewhere not what CLDR means, and it looks for names under spellings of
zones under which babel does not keep them. Here the offset from UTC chooses. CLDR gives one name to the same time
wherever it is kept (a metazone, UTS 35 part 4): it fits where the offset is the metazone's of standard or of daylight
time. Where neither is, as after a change of law that CLDR has not heard of, the offset itself is written.
"""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime, timedelta
from functools import cache
from zoneinfo import ZoneInfo

from babel import Locale
from babel.core import get_global

CLDR_KNOWS = 2025
"""A year for which the metazones of the oldest babel we accept are right; no later law changes a name's meaning."""

HOUR = timedelta(hours=1)
Offsets = dict[str, timedelta]
"""Ahead of UTC, in "standard" and in "daylight" time."""

_ALIASES = get_global("zone_aliases")


def _canonical(key: str) -> str:
    return str(_ALIASES.get(key, key))


_METAZONES = {_canonical(key): str(metazone) for key, metazone in get_global("meta_zones").items()}


def zone_name(local: datetime, locale: Locale) -> str:
    """E.g. Central European Summer Time, or GMT-04:30 where CLDR has no name for it. `local` is in a ZoneInfo."""
    zone, offset = local.tzinfo, local.utcoffset()
    assert isinstance(zone, ZoneInfo)
    assert offset is not None
    key = _canonical(zone.key)
    metazone = _METAZONES.get(key)
    named = _named(offset, locale.time_zones.get(key), _offsets_of_zone(zone))  # e.g. British Summer Time
    if named is None and metazone is not None:
        named = _named(offset, locale.meta_zones.get(metazone), _offsets_of_metazone(metazone))
    return named or _gmt(offset, locale)


def _named(offset: timedelta, names: dict[str, dict[str, object]] | None, offsets: Offsets) -> str | None:
    for variant, name in (names or {}).get("long", {}).items():
        if offsets.get(variant) == offset and isinstance(name, str):  # it is a marker where it is not to be inherited
            return name
    return None


@cache
def _offsets_of_metazone(metazone: str) -> Offsets:
    """All its zones agree about standard time; not all of them keep daylight time, now or ever."""
    zones = [ZoneInfo(key) for key, its in _METAZONES.items() if its == metazone]
    return _offsets(offset for zone in zones for offset in _offsets_of_zone(zone).values())


@cache
def _offsets_of_zone(zone: ZoneInfo) -> Offsets:
    seasons = (datetime(CLDR_KNOWS, month, 15, tzinfo=zone).utcoffset() for month in (1, 7))
    return _offsets(offset for offset in seasons if offset is not None)


def _offsets(found: Iterable[timedelta]) -> Offsets:
    """The least is what CLDR calls standard, also in Ireland, whose law calls the summer so."""
    standard, *others = sorted(set(found))
    return {"standard": standard, "daylight": others[0] if others else standard + HOUR}


def _gmt(offset: timedelta, locale: Locale) -> str:
    """Not babel's: it writes half an hour west of Greenwich as an hour more."""
    hours, minutes = divmod(abs(offset) // timedelta(minutes=1), 60)
    return str(locale.zone_formats["gmt"] % f"{'-' if offset < timedelta(0) else '+'}{hours:02}:{minutes:02}")
