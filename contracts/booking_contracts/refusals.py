"""What is wrong with a body, in sentences for people: every error of pydantic in words of ours (requirement bad-input).

No sentence holds a value of the body, which may be somebody's name, and none a text of a library, which tells a reader
what a program thinks and not what to write instead.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

from pydantic import JsonValue, ValidationError
from pydantic_core import ErrorDetails

from booking_contracts.headers import safe_text
from booking_contracts.texts import DATE, INSTANT, WORDS

MOST = 20
"""Problems of one command that are reported; a sender with more of them corrects these first."""
BODY = "body"
"""The field of a problem that no single field has."""
NO_NAME = '""'
"""A member of an object whose name is empty."""
OBJECT = "must be a JSON object"
WHOLE_NUMBER = "must be a whole number"
NOT_ALLOWED = "is not what the contract allows here; its JSON Schema says what is"


@dataclass(frozen=True, slots=True)
class Problem:
    """One thing that is wrong: the field's dotted path, lists by index, and what follows its name in a sentence."""

    field: str
    problem: str

    @property
    def message(self) -> str:
        """The whole sentence."""
        return f"{self.field} {self.problem}."

    def told(self) -> dict[str, JsonValue]:
        """As it stands in `details.errors`."""
        return {"field": self.field, "problem": self.problem, "message": self.message}


def problems_of(error: ValidationError) -> tuple[Problem, ...]:
    """At most MOST of them, in the order of the fields; the first is the one that `details` itself names."""
    errors = error.errors(include_url=False, include_input=False)
    told = [found for found in errors if not _counts_good_items_alone(found, errors)]
    return tuple(Problem(_dotted(found) or BODY, _words(found)) for found in told[:MOST])


def _counts_good_items_alone(error: ErrorDetails, errors: Sequence[ErrorDetails]) -> bool:
    """A list with wrong items is too short for pydantic, whose reader sees how many there are."""
    where = error["loc"]
    return error["type"] == "too_short" and any(
        len(other["loc"]) > len(where) and other["loc"][: len(where)] == where for other in errors
    )


def _dotted(error: ErrorDetails) -> str:
    """Where an error is, as a dotted path; parts that only name a union's branch (`~…`) are left out.

    What is not known here has a name of the sender's, whatever that is.
    """
    *way, last = error["loc"] or ("",)
    parts = [str(part) for part in way if not str(part).startswith("~")]
    if error["type"] == "extra_forbidden":
        parts.append(str(last) or NO_NAME)
    elif not str(last).startswith("~"):
        parts.append(str(last))
    return safe_text(".".join(parts))


def _words(error: ErrorDetails) -> str:
    """What follows the field's name. What our own validators say is said; the rest has words in this file."""
    context = error.get("ctx", {})
    kind = error["type"]
    if kind in ("value_error", "in_words"):
        return str(context.get("error", error["msg"]))
    if kind in _FIXED:
        return _FIXED[kind]
    if kind in _WITH_LIMITS:
        return _WITH_LIMITS[kind](context)
    if kind.startswith("datetime_"):
        return INSTANT
    return DATE if kind.startswith("date_") else NOT_ALLOWED


_FIXED: Mapping[str, str] = {
    "missing": "is missing",
    "extra_forbidden": "is not known here; leave it out",
    "string_type": "must be a text",
    "string_unicode": "must be a text in UTF-8",
    "int_type": WHOLE_NUMBER,
    "int_from_float": WHOLE_NUMBER,
    "int_parsing": WHOLE_NUMBER,
    "int_parsing_size": "must be a whole number of far fewer digits",
    "bool_type": "must be true or false",
    "uuid_type": "must be a UUID, as a text",
    "uuid_parsing": "must be a UUID, e.g. 018f4e3a-7c2b-7d10-9c55-2f1f6a1b3c4d",
    "model_type": OBJECT,
    "model_attributes_type": OBJECT,
    "tuple_type": "must be a list",
}


def _json(context: Mapping[str, object]) -> str:
    place = re.search(r"line (\d+) column (\d+)$", str(context["error"]))
    where = f" from line {place[1]}, column {place[2]} on" if place else ""
    return f"must be one JSON object in UTF-8; it cannot be read{where}"


def _items(bound: str, count: object) -> str:
    return f"must have at {bound} {count} {'item' if count == 1 else 'items'}"


def _characters(bound: str, count: object) -> str:
    return "must not be empty" if (bound, count) == ("least", 1) else f"must have at {bound} {count} characters"


_WITH_LIMITS: Mapping[str, Callable[[Mapping[str, object]], str]] = {
    "string_too_short": lambda context: _characters("least", context["min_length"]),
    "string_too_long": lambda context: _characters("most", context["max_length"]),
    "string_pattern_mismatch": lambda context: WORDS.get(str(context["pattern"]), NOT_ALLOWED),
    "greater_than_equal": lambda context: f"must be at least {context['ge']}",
    "less_than_equal": lambda context: f"must be at most {context['le']}",
    "too_short": lambda context: _items("least", context["min_length"]),
    "too_long": lambda context: _items("most", context["max_length"]),
    "literal_error": lambda context: f"must be {str(context['expected']).replace(chr(39), '')}",
    "json_invalid": _json,
}
