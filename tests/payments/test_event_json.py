"""What others send as JSON: cleaned when decoded, refused when it is nothing."""

from __future__ import annotations

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.payments.stripe_events.event_json import DEEPEST, NotJson, clean, decoded
from services.payments.stripe_events.events import NOT_KEPT, redacted

JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(st.characters(exclude_categories=())),
    lambda inner: st.lists(inner) | st.dictionaries(st.text(st.characters(exclude_categories=())), inner),
)


@pytest.mark.requirement("webhooks")
@pytest.mark.parametrize(
    ("raw", "kept"),
    [
        (rb'"x\\u0000y"', "x\\u0000y"),
        (rb'"x\\\u0000y"', "x\\y"),
        (rb'"a\u0000b"', "ab"),
        (rb'{"a\u0000": 1}', {"a": 1}),
        (rb'"\ud800"', "?"),
        (rb'"\ud83d\ude00"', "\N{GRINNING FACE}"),
        (b"[1e400, -1e400, 1.5]", [None, None, 1.5]),
    ],
)
def test_decoded_values_are_cleaned_not_their_text(raw: bytes, kept: object) -> None:
    assert clean(decoded(raw)) == kept


@pytest.mark.requirement("webhooks")
@pytest.mark.parametrize(
    "raw",
    [b"NaN", b"[Infinity]", b"-Infinity", b"", b"{", b"\xff", b"\xef\xbb\xbf{}", b'"\xed\xa0\x80"', b"9" * 5000]
    + [b"[" * depth + b"]" * depth for depth in (DEEPEST + 1, 500, 990, 20_000)],
)
def test_what_is_no_json_and_what_nobody_can_mean_is_refused(raw: bytes) -> None:
    with pytest.raises(NotJson):
        clean(decoded(raw))


def test_names_are_left_out_however_they_are_written() -> None:
    assert redacted({"client\x00_secret": "x", "a": [{"card": 1, "b": 2}]}) == {"a": [{"b": 2}]}
    assert len(NOT_KEPT) > 5


@given(JSON)
def test_what_is_kept_can_be_kept(value: object) -> None:
    text = json.dumps(clean(value), allow_nan=False)
    assert "\\u0000" not in text.replace("\\\\", "")
    assert clean(json.loads(text)) == json.loads(text)
    text.encode()
