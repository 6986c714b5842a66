"""Who an operator is and what they may: viewer < operator < money, and beside these the right to see people's data."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from enum import StrEnum
from typing import Literal


class Role(StrEnum):
    """Each may what those before it may. A viewer sees, an operator mends, money moves money by hand."""

    VIEWER = "viewer"
    OPERATOR = "operator"
    MONEY = "money"

    @property
    def rank(self) -> int:
        """The higher, the more they may."""
        return list(Role).index(self)


Right = Literal["viewer", "operator", "money", "pii"]
PII = "pii"
"""Not a role: who has it may see names, addresses and letters, and each look is kept."""


@dataclass(frozen=True, slots=True)
class Operator:
    """Somebody who is logged in. `session` is what their forms are bound to."""

    name: str
    rights: frozenset[str]
    session: str

    def may(self, role: Role) -> bool:
        """Whether one of their roles is this one or above it."""
        return any(one.value in self.rights and one.rank >= role.rank for one in Role)

    @property
    def sees_people(self) -> bool:
        """Whether personal data may be shown to them."""
        return PII in self.rights


def known(rights: Collection[str]) -> frozenset[str]:
    """Those that there are."""
    return frozenset(rights) & {*Role, PII}
