"""What one language needs to say every letter."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

Wording = tuple[str, ...]
"""The subject, then the sentences. A sentence that names a value the event lacks is left out."""


ALIASES = {"payment_needed.customer.hold": "seats_held.customer"}
"""Letters that an earlier release has written and not sent yet."""


@dataclass(frozen=True, slots=True)
class Language:
    """Wordings by `kind.audience`, or `kind.audience.variant` where the event's detail changes them."""

    greeting: str
    closing: str
    unsubscribe: str
    labels: Mapping[str, str]
    page: Mapping[str, str]
    """That of the link that ends reminders: title, question, button, done."""
    wordings: Mapping[str, Wording]
    reasons: Mapping[str, str] | None = None
    """What events say of their own accord, by their codes; None in English, which events themselves hold."""

    def key(self, kind: str, audience: str, variant: str | None) -> str:
        """Of the most particular wording there is, if any."""
        general = f"{kind}.{audience}"
        particular = f"{general}.{variant}"
        particular = ALIASES.get(particular, particular)
        return particular if particular in self.wordings else general

    def wording(self, kind: str, audience: str, variant: str | None) -> Wording | None:
        """None where nobody of that audience is told so in this language."""
        return self.wordings.get(self.key(kind, audience, variant))

    def reason(self, *codes: str | None, english: str | None) -> str | None:
        """The sentence of the first code that has one here; a test sees to it that the last of them always has."""
        reasons = self.reasons
        return english if reasons is None else next(reasons[code] for code in codes if code and code in reasons)
