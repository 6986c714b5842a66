"""Bodies that are wrong, one way each: a body as a client writes it goes in, bytes come out.

What JSON cannot say in Python (NaN, 1e400, 100,000 digits, 20,000 levels) is written as a token in the place of a mark.
"""

from __future__ import annotations

import copy
import json
import random
from collections.abc import Callable
from typing import Any

Body = dict[str, Any]
Mutation = Callable[[random.Random, Body], bytes | None]
MARK = "@here@"
DEEP = 20_000

NUMBERS = (
    *("0", "-1", "-0", "1.0", "1.5", "1e3", "1e400", "-1e400", "1E-400", "NaN", "Infinity", "-Infinity"),
    *(str(2**31), str(2**63 - 1), str(2**63), str(2**64), str(10**12), str(10**12 + 1), str(-(2**63) - 1)),
    *("9" * 100_000, "0x10", "01", "1_000", '"1"', "true"),
)
TIMES = (
    *("0001-01-01T00:00:00Z", "0000-01-01T00:00:00Z", "1969-12-31T23:59:59Z", "1970-01-01T00:00:00Z"),
    *("1999-12-31T23:59:59Z", "2000-01-01T00:00:00Z", "2199-12-31T23:59:59Z", "2200-01-01T00:00:00Z"),
    *("9999-12-31T23:59:59Z", "9999-12-31T23:59:59.999999Z", "10000-01-01T00:00:00Z", "-0001-01-01T00:00:00Z"),
    *("2030-06-30T23:59:60Z", "2030-02-30T00:00:00Z", "2030-01-01T24:00:00Z", "2030-01-01T10:00:00+14:00"),
    *(
        "2030-01-01T10:00:00-00:00",
        "2030-01-01T10:00:00",
        "2030-01-01",
        "1893456000",
        "2030-01-01T10:00:00.1234567890123Z",
    ),
    *("٢٠٣٠-01-01T10:00:00Z", "2030-01-01t10:00:00z", "2030-01-01T10:00:00Z ", "now", ""),
)
TYPES = ("null", "[]", "{}", '""', "0", "true", "[[]]", '{"a": 1}', "[null]", '"text"')
TEXTS = (
    *('"\\ud800"', '"\\udc00\\ud800"', '"a\\u0000b"', '"\\u0000"', '"\u202eabc\u202c"', '"\u200f\u0627"', '"\ufeff"'),
    *(
        '"' + "e" + "\u0301" * 2_000 + '"',
        '"👩‍👩‍👧‍👦"',
        '"\\u001b[31m"',
        '"\\r\\nBcc: x@example.com"',
        '" "',
        '"\u2028"',
    ),
    *('"x\\\\u0000y"', '"\\ud83d\\ude00"', '"ﷺ"', '"${jndi:ldap://x}"', '"\'; DROP TABLE booking; --"', '"%s%n{0}"'),
)
LONG_TEXTS = (201, 255, 2_001, 4_000, 65_536)


def numbers(rng: random.Random, body: Body) -> bytes:
    """A number out of all bounds, where a number stands."""
    return _instead(rng, body, rng.choice(NUMBERS), lambda value: type(value) is int)


def times(rng: random.Random, body: Body) -> bytes:
    """An instant far away, impossible, or in other words."""
    return _instead(rng, body, json.dumps(rng.choice(TIMES), ensure_ascii=False), _is_instant)


def types(rng: random.Random, body: Body) -> bytes:
    """A value of another JSON type."""
    return _instead(rng, body, rng.choice(TYPES))


def depth(rng: random.Random, body: Body) -> bytes:
    """20,000 levels, closed or not, in a field or as the whole body."""
    opening, closing = rng.choice((("[", "]"), ('{"a":', "}")))
    deep = opening * DEEP + "0" + closing * rng.choice((DEEP, DEEP, 0))
    return deep.encode() if rng.random() < 0.3 else _instead(rng, body, deep)


def unicode(rng: random.Random, body: Body) -> bytes:
    """Text that is hard to store, show or send on."""
    if rng.random() < 0.2:
        return _instead(rng, body, '"\\xff\\xfe"', _is_text).replace(b"\\xff\\xfe", b"\xff\xfe")
    return _instead(rng, body, rng.choice(TEXTS), _is_text)


def sizes(rng: random.Random, body: Body) -> bytes:
    """Around the limit of 256 KiB and of Kafka's own, or one long text, or very many members."""
    match rng.randrange(6):
        case 0:
            return _padded(body, 256 * 1024 + rng.choice((-1, 0, 1)))
        case 1:
            return _padded(body, rng.choice((257_000, 900_000)))
        case 2:
            return _instead(rng, body, "[" + "0," * 80_000 + "0]")
        case 3:
            return json.dumps(body | {f"f{number}": number for number in range(10_000)}).encode()
        case _:
            return _instead(rng, body, json.dumps("x" * rng.choice(LONG_TEXTS)), _is_text)


def fields(rng: random.Random, body: Body) -> bytes:
    """A field too few, too many, twice, or under another name."""
    name = rng.choice(sorted(body) or ["actor"])
    text = json.dumps(body)
    match rng.randrange(5):
        case 0:
            return json.dumps({key: value for key, value in body.items() if key != name}).encode()
        case 1:
            return json.dumps(body | {rng.choice(("surprise", "", "__proto__", "\x00", "a" * 5_000)): 1}).encode()
        case 2:
            return f"{text[:-1]}, {json.dumps(name)}: null}}".encode()
        case 3:
            return text.replace(json.dumps(name), json.dumps(name.upper()), 1).encode()
        case _:
            return json.dumps(body | {"actor": {"kind": rng.choice(("system", "root", "")), "id": "x"}}).encode()


def documents(rng: random.Random, body: Body) -> bytes | None:
    """Not one JSON object."""
    whole = json.dumps(body).encode()
    return rng.choice(
        (
            *(None, b"", b" ", b"null", b"0", b"[]", b'"text"', b"{", b"\x00", b"\xef\xbb\xbf" + whole, whole + whole),
            *(whole[: len(whole) // 2], whole + b"\x00", b"[" + whole + b"]", whole.replace(b'"', b"'"), b"\xff\xfe"),
            *(json.dumps(body).encode("utf-16"), b"<xml/>", b"\x1f\x8b\x08\x00", whole + b" // a comment"),
        )
    )


MUTATIONS: dict[str, Mutation] = {
    "numbers": numbers,
    "times": times,
    "types": types,
    "depth": depth,
    "unicode": unicode,
    "sizes": sizes,
    "fields": fields,
    "documents": documents,
}


def _is_instant(value: object) -> bool:
    return isinstance(value, str) and value[4:5] == "-" and value[10:11] in ("T", "")


def _is_text(value: object) -> bool:
    return isinstance(value, str)


def _instead(rng: random.Random, body: Body, token: str, fits: Callable[[object], bool] = lambda _value: True) -> bytes:
    """The body with a token where a value that fits stands; in a new field where none does."""
    marked = copy.deepcopy(body)
    places = [place for place in _places(marked) if fits(place[0][place[1]])]
    holder, name = rng.choice(places) if places else (marked, "starts_at")
    holder[name] = MARK
    text = json.dumps(marked, ensure_ascii=False)
    return text.replace(f'"{MARK}"', token, 1).encode("utf-8", "surrogatepass")


def _places(value: Any) -> list[tuple[Any, Any]]:
    """Every (holder, name or index) inside."""
    names = list(value) if isinstance(value, dict) else range(len(value)) if isinstance(value, list) else []
    return [(value, name) for name in names] + [inner for name in names for inner in _places(value[name])]


def _padded(body: Body, size: int) -> bytes:
    """So many bytes, of which most are blanks that JSON allows."""
    text = json.dumps(body).encode()
    return text[:-1] + b" " * max(0, size - len(text)) + text[-1:]
