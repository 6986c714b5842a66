"""One reading of an e-mail address, whoever reads it."""

from __future__ import annotations

import pytest
from booking_contracts.addresses import ascii_address
from hypothesis import example, given
from hypothesis import strategies as st


@pytest.mark.requirement("customer-contact", "notify-safely")
@pytest.mark.parametrize(
    ("text", "ascii_form"),
    [
        ("ada@example.com", "ada@example.com"),
        ("Ada.B+x@Example.COM", "Ada.B+x@example.com"),
        ("o'brien!#$%&*/=?^_`{|}~@example.com", "o'brien!#$%&*/=?^_`{|}~@example.com"),
        (f"{'a' * 64}@example.com", f"{'a' * 64}@example.com"),
        ("a@straße.de", "a@xn--strae-oqa.de"),
        ("a@STRAẞE.de", "a@xn--strae-oqa.de"),
        ("a@xn--strae-oqa.de", "a@xn--strae-oqa.de"),
        ("a@XN--STRAE-OQA.DE", "a@xn--strae-oqa.de"),
        ("a@strasse.de", "a@strasse.de"),
        ("a@βόλος.com", "a@xn--nxasmm1c.com"),
        ("a@βόλοσ.com", "a@xn--nxasmq6b.com"),
        ("a@نامهای.com", "a@xn--mgba3gch31f.com"),
        ("a@ｅｘａｍｐｌｅ。ｃｏｍ", "a@example.com"),
        ("a@bu\N{COMBINING DIAERESIS}cher.de", "a@xn--bcher-kva.de"),
        ("a@shop.test", "a@shop.test"),
    ],
)
def test_mail_goes_to_the_domain_that_idna_2008_reads(text: str, ascii_form: str) -> None:
    """ß and ς (the deviations of UTS 46) beside those of their neighbours; joiners are refused, in either form."""
    assert ascii_address(text) == ascii_form
    assert ascii_address(ascii_form) == ascii_form


@pytest.mark.requirement("customer-contact", "bad-input")
@pytest.mark.parametrize(
    ("text", "wrong"),
    [
        ("", "e-mail address, e.g."),
        ("bob", "e-mail address, e.g."),
        ("bob@", "e-mail address, e.g."),
        ("@example.com", "e-mail address, e.g."),
        ("bob＠example.com", "e-mail address, e.g."),
        ("jürgen@example.com", "a to z"),
        ("bo\N{ZERO WIDTH SPACE}b@example.com", "a to z"),
        ("a\N{RIGHT-TO-LEFT OVERRIDE}b@example.com", "a to z"),
        ("ａ@example.com", "a to z"),
        (f"{'a' * 65}@example.com", "64 characters"),
        (".bob@example.com", "single dots"),
        ("bob.@example.com", "single dots"),
        ("b..b@example.com", "single dots"),
        ("bo b@example.com", "single dots"),
        ("bob,eve@example.com", "single dots"),
        ("a@b@example.com", "single dots"),
        ('"bob"@example.com', "single dots"),
        ('"bo b"@example.com', "single dots"),
        ('"a@b"@example.com', "single dots"),
        ("Bob <bob@example.com>", "after the @"),
        ("<bob@example.com>", "after the @"),
        ("bob@example.com (Bob)", "after the @"),
        ("bob@example.com, eve@example.com", "single dots"),
        ("bob@exa mple.com", "after the @"),
        ("bob@example.com.", "after the @"),
        ("bob@.example.com", "after the @"),
        ("bob@example..com", "after the @"),
        ("bob@-example.com", "after the @"),
        ("bob@exa_mple.com", "after the @"),
        ("bob@example", "after the @"),
        ("bob@localhost", "after the @"),
        ("bob@x.invalid", "after the @"),
        ("bob@127.0.0.1", "after the @"),
        ("bob@[127.0.0.1]", "after the @"),
        ("bob@[IPv6:::1]", "after the @"),
        ("bob@example.com\N{ZERO WIDTH JOINER}", "after the @"),
        ("bob@ex\N{ZERO WIDTH JOINER}ample.com", "after the @"),
        ("bob@ex\N{ZERO WIDTH NON-JOINER}ample.com", "after the @"),
        ("bob@نامه\N{ZERO WIDTH NON-JOINER}ای.com", "after the @"),
        ("bob@xn--mgba3gch31f060k.com", "after the @"),
        ("bob@xn--0.com", "after the @"),
        ("bob@☃.com", "after the @"),
        (f"bob@{'a' * 64}.com", "after the @"),
        (f"{'a' * 60}@{'.'.join(['b' * 60] * 4)}.com", "254 characters"),
        (f"{'a' * 60}@{'.'.join(['ü' + 'b' * 49] * 4)}.de", "254 characters"),
    ],
)
def test_an_address_that_not_every_server_takes_says_what_it_must_be(text: str, wrong: str) -> None:
    with pytest.raises(ValueError, match=r"^must be an e-mail address") as refused:
        ascii_address(text)
    assert wrong in str(refused.value)


_DOMAINS = st.text("aB1.-ßςσ\N{ZERO WIDTH JOINER}\N{ZERO WIDTH NON-JOINER}ü。ｅ്ക", min_size=1, max_size=20)


@pytest.mark.requirement("customer-contact")
@given(st.text(max_size=80) | st.emails() | _DOMAINS.map(lambda domain: f"a@{domain}.com"))
@example("a@ß.de")
def test_what_was_read_once_is_read_the_same_again(text: str) -> None:
    try:
        found = ascii_address(text)
    except ValueError:
        return
    assert found.isascii()
    assert len(found) <= 254
    assert ascii_address(found) == found
