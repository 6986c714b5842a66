"""JSON of others, made such that it can be kept: what PostgreSQL, our own JSON and a reader's stack can take.

The *decoded* values are cleaned. What the text of JSON looks like says nothing: a string may spell out an escape.
"""

from __future__ import annotations

import json
import math
from collections.abc import Set
from typing import Any, Never

DEEPEST = 64
"""Stripe's objects are nested a few levels; Python and PostgreSQL end at some hundreds."""


class NotJson(ValueError):
    """The bytes are no JSON, or JSON without one meaning; the text says why."""


def decoded(raw: bytes) -> Any:
    """The value that UTF-8 JSON stands for. Raises NotJson, also for NaN and Infinity, which are none (RFC 8259)."""
    try:
        return json.loads(raw.decode(), parse_constant=_no_number)
    except RecursionError:
        raise NotJson(f"The body is nested more than {DEEPEST} levels deep.") from None
    except ValueError:
        raise NotJson("The body is not JSON.") from None


def clean(value: Any, without: Set[str] = frozenset(), depth: int = DEEPEST) -> Any:
    """The same without the names in `without`, at any depth, and without what jsonb refuses.

    Null characters are left out, halves of surrogate pairs replaced, numbers that are not finite become null. Raises
    NotJson below DEEPEST levels.
    """
    if isinstance(value, str):
        return value if value.isprintable() else value.replace("\x00", "").encode("utf-8", "replace").decode()
    if isinstance(value, float):
        return value if math.isfinite(value) else None
    if not isinstance(value, dict | list):
        return value
    if depth == 0:
        raise NotJson(f"The body is nested more than {DEEPEST} levels deep.")
    if isinstance(value, list):
        return [clean(item, without, depth - 1) for item in value]
    return {
        kept: clean(item, without, depth - 1) for name, item in value.items() if (kept := clean(name)) not in without
    }


def _no_number(constant: str) -> Never:
    raise NotJson(f"{constant} is not JSON.")
