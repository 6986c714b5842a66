"""All that Stripe holds: its balance against the sum of its movements, and these against the clearing account.

What was there before the first movement that was read is an opening. It is nothing where the sides agree once, else
what they differ by when nothing has moved for the time of grace; it never changes after that.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from services.chassis.database import Pool
from services.payments.comparison import standings
from services.payments.model.comparison import LEDGERS, STRIPES, Difference, Kind, Standing, differences


@dataclass(frozen=True, slots=True)
class Totals:
    """By (subject, currency): what was looked at, of that what has no opening yet, and what does not agree."""

    looked_at: frozenset[tuple[str, str]]
    unopened: frozenset[tuple[str, str]]
    found: tuple[Difference, ...]


NOTHING = Totals(frozenset(), frozenset(), ())


async def compare(pool: Pool, balance: Mapping[str, int], entry: int) -> Totals:
    """`balance`: what Stripe says that it holds, available and pending, by currency. Those that agree are opened by it.

    While a call to Stripe stays open the clearing account is ahead of Stripe, and is not looked at.
    """
    async with standings.snapshot(pool) as connection:
        rows = await standings.of_totals(connection, entry)
        waits = await standings.waits_for_stripe(connection)
    ours, theirs, unopened = [], [], set()
    for row in rows:
        currency, opening = row["currency"], {STRIPES: row["opening_balance"], LEDGERS: row["opening_clearing"]}
        held = {STRIPES: (row["net"], balance.get(currency, 0)), LEDGERS: (row["held"], row["moved"])}
        for subject in (STRIPES,) if waits else (STRIPES, LEDGERS):
            of = (Kind.BALANCE, subject, currency)
            ours.append(Standing(*of, held[subject][0]))
            theirs.append(Standing(*of, held[subject][1] - (opening[subject] or 0)))
            if opening[subject] is None:
                unopened.add((subject, currency))
    found = differences(ours, theirs)
    looked_at = frozenset((one.subject, one.currency) for one in ours)
    wrong = frozenset((one.of.subject, one.of.currency) for one in found)
    for subject, currency in unopened - wrong:
        await open_with(pool, subject, currency, 0)
    return Totals(looked_at, frozenset(unopened & wrong), tuple(found))


async def open_with(pool: Pool, subject: str, currency: str, amount_minor: int) -> None:
    """What Stripe's balance, or its movements, were ahead by when the comparison began."""
    column = "opening_balance_minor" if subject == STRIPES else "opening_clearing_minor"
    await pool.execute(
        f"""
        INSERT INTO stripe_total (currency, {column}) VALUES ($1, $2)
        ON CONFLICT (currency) DO UPDATE SET {column} = excluded.{column}
        """,
        currency,
        amount_minor,
    )


def held(answer: Mapping[str, Any]) -> dict[str, int]:
    """Stripe's balance by currency: what is available and what will be."""
    found: dict[str, int] = {}
    for part in (*answer["available"], *answer["pending"]):
        currency = part["currency"].upper()
        found[currency] = found.get(currency, 0) + part["amount"]
    return found
