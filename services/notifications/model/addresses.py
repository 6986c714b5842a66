"""Which addresses are one."""

from __future__ import annotations

import hashlib


def mailbox(address: str) -> str:
    """The same for addresses that name the same mailbox: the case of the domain does not matter. What stands before
    the @ means what that domain wants it to, so that two spellings may be two people (RFC 5321, 2.4).
    """
    local, _, domain = address.rpartition("@")
    return f"{local}@{domain.lower()}"


def person_of(address: str) -> bytes:
    """A mailbox as what can be compared and not read: 16 bytes."""
    return hashlib.sha256(mailbox(address).encode()).digest()[:16]
