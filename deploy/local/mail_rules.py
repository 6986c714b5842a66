"""What a strict mail server refuses a message for: its lines and the octets of its header."""

import re

LONGEST_LINE = 998
"""Octets before CRLF (RFC 5321, 4.5.3.1.6; RFC 5322, 2.1.1)."""
_FIELD = re.compile(rb"[!-9;-~]+:|[ \t]+\S")
"""A header's line begins a field or goes on with one, and is never white space alone (RFC 5322, 2.2 and 4.2)."""


def problem_of(content: bytes, *, smtputf8: bool = False) -> str | None:
    """The answer to a message that is not taken, None for one that is. Lines end with CRLF; dots are unstuffed."""
    lines = content.split(b"\r\n")
    if any(len(line) > LONGEST_LINE for line in lines):
        return "500 5.6.0 Line too long (RFC 5321, 4.5.3.1.6)"
    if any(octet in line for line in lines for octet in (b"\r", b"\n", b"\x00")):
        return "554 5.6.0 CR, LF or NUL within a line (RFC 5321, 2.3.8; RFC 5322, 4)"
    header = lines[: lines.index(b"") if b"" in lines else len(lines)]
    if any(_FIELD.match(line) is None for line in header):
        return "554 5.6.0 The header is not one (RFC 5322, 2.2)"
    if not smtputf8 and not all(line.isascii() for line in header):
        return "554 5.6.7 The header is not ASCII (RFC 5322, 2.2; RFC 6531)"
    return None
