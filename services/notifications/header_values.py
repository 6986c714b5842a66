"""Values of headers as they go over the wire: ASCII, in lines that every server and mail program takes.

RFC 5322 (2.1.1) asks for lines of at most 78 octets and forbids more than 998; RFC 2047 (2) allows an encoded word 75
and has it end between two characters.
"""

from __future__ import annotations

from email.header import Header
from email.utils import parseaddr, quote
from functools import cache

from booking_contracts.addresses import ascii_address

from services.notifications.locales.formats import one_line

LONGEST_LINE = 78
LONGEST_ENCODED_LINE = 76
"""A space and an encoded word of 75."""


class Unaddressable(ValueError):
    """No mail can be sent to this address: it is not one, or its local part is not ASCII."""


def reachable(address: str) -> str:
    """Where mail to this address goes, in ASCII. Raises Unaddressable with a sentence that shows the address."""
    try:
        return ascii_address(address)
    except ValueError as problem:
        raise Unaddressable(f"{one_line(address)!r} is not a mail address: it {problem}") from problem


@cache
def sender_of(configured: str) -> tuple[str, str]:
    """(name, address in ASCII) of an address with or without a name. Raises Unaddressable."""
    name, address = parseaddr(configured)
    return name, reachable(address or configured)


def text(header: str, value: str) -> str:
    """Free text: as it is where it fits on the header's line, in encoded words elsewhere."""
    line = one_line(value)
    return line if _fits(header, line) else _encoded(header, line)


def mailbox(header: str, name: str, address: str) -> str:
    """`name <address>` for an address that is `reachable`; a name is a quoted string or encoded words (RFC 2047, 5)."""
    name = one_line(name)
    if not name:
        return address
    quoted = f'"{quote(name)}"' if set(name) - _UNQUOTED else name
    if _fits(header, f"{quoted} <{address}>"):
        return f"{quoted} <{address}>"
    shown = quoted if _fits(header, quoted) else _encoded(header, name)
    return f"{shown}\n <{address}>"


def link(header: str, url: str) -> str:
    """A URL in angle brackets (RFC 2369, 2): on a line of its own where the header's is too short, never in two."""
    return f"<{url}>" if _fits(header, f"<{url}>") else f"\n <{url}>"


_UNQUOTED = frozenset("abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789 !#$%&'*+-/=?^_`{|}~")
"""What RFC 5322 (3.2.3) lets stand in a phrase without quotes."""


def _fits(header: str, value: str) -> bool:
    """A text that looks like an encoded word would be decoded, so that its reader saw what nobody wrote."""
    return value.isascii() and "=?" not in value and len(f"{header}: {value}") <= LONGEST_LINE


def _encoded(header: str, value: str) -> str:
    return Header(value, "utf-8", maxlinelen=LONGEST_ENCODED_LINE, header_name=header).encode()
