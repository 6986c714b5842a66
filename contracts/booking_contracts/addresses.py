"""The one reading of an e-mail address: where mail to it goes, in ASCII.

Whoever checks, keeps, tells or writes to an address takes it from here. Two readings disagree about ß, ς and joiners
(IDNA 2003 and 2008), and mail then goes to the owner of another domain. Needs email-validator (extra `addresses`).
"""

from __future__ import annotations

from email_validator import EmailNotValidError, validate_email

EXAMPLE = "ada@example.com"


def ascii_address(text: str) -> str:
    """`local@domain` as every mail server takes it: the domain in lower-case A-labels (IDNA 2008, RFC 5891).

    Given its own answer it returns the same. Syntax alone: whether a mailbox exists, only a mail tells. Local parts are
    those of RFC 5321 that need no quotes; one that is not ASCII would need SMTPUTF8 of every server on the way. Domains
    are names: no IP literals, no trailing dot, and none with zero-width joiners, which nobody sees.
    Raises ValueError, whose text says what the address must be.
    """
    try:
        return _read(text)
    except EmailNotValidError:
        raise ValueError(_problem(text)) from None


def _read(text: str) -> str:
    """`test_environment` allows the names below .test (RFC 6761), which no public server resolves."""
    found = validate_email(
        text, check_deliverability=False, allow_smtputf8=False, strict=True, test_environment=True
    ).ascii_email
    assert found is not None, "without SMTPUTF8 there is an ASCII form"
    return found


def _problem(text: str) -> str:
    local, at, domain = text.rpartition("@")
    if not at or not local or not domain:
        return f"must be an e-mail address, e.g. {EXAMPLE}"
    if not local.isascii():
        return "must be an e-mail address with letters a to z before the @; not every mail server takes others there"
    if len(local) > 64:
        return "must be an e-mail address with at most 64 characters before the @"
    if not _is_read(f"a@{domain}"):
        return f"must be an e-mail address with a domain that mail can be sent to after the @, e.g. {EXAMPLE}"
    if not _is_read(f"{local}@example.org"):
        return (
            "must be an e-mail address with letters, digits and single dots before the @, without spaces, quotes or "
            f"brackets, e.g. {EXAMPLE}"
        )
    return "must be an e-mail address of at most 254 characters"


def _is_read(text: str) -> bool:
    try:
        _read(text)
    except EmailNotValidError:
        return False
    return True
