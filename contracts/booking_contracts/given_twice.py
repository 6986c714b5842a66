"""Members that a JSON object has twice: which of them counts nobody can say (RFC 8259, section 4)."""

from __future__ import annotations

import json

from pydantic import JsonValue

Path = tuple[int | str, ...]
_Pairs = list[tuple[str, JsonValue]]


def given_twice(body: str | bytes | bytearray) -> Path | None:
    """Where an object of `body` has a member twice, or None.

    Takes what pydantic has read already: neither nested too deep for `json` nor with numbers without end.
    """
    text = body if isinstance(body, str) else body.decode()
    try:
        _LOOK.decode(text)
    except _Twice:
        return _find(_KEEP.decode(text))
    return None


class _Twice(Exception):
    """There is one; where, only a second look tells."""


class _Members:
    """An object as it was written."""

    def __init__(self, pairs: _Pairs) -> None:
        self.pairs = pairs


def _look(pairs: _Pairs) -> None:
    if len(dict(pairs)) != len(pairs):
        raise _Twice


_LOOK = json.JSONDecoder(object_pairs_hook=_look)
_KEEP = json.JSONDecoder(object_pairs_hook=_Members)


def _find(value: object) -> Path | None:
    seen: set[str] = set()
    inside: list[tuple[int | str, object]] = []
    if isinstance(value, _Members):
        for name, _ in value.pairs:
            if name in seen:
                return (name,)
            seen.add(name)
        inside = [*value.pairs]
    elif isinstance(value, list):
        inside = [*enumerate(value)]
    for place, inner in inside:
        if (found := _find(inner)) is not None:
            return (place, *found)
    return None
