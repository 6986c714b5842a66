"""A booking's money line by line, and its sums: `bookingctl payments statement` and the page of a booking."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from uuid import UUID

from services.chassis.database import Connection
from services.chassis.statements import Row
from services.operations.console.reads.few import Few, latest
from services.payments.model import ledger

ENTRIES = """
SELECT t.transaction_id, t.at, t.cause, e.entry_id, e.account, e.amount_minor, e.currency,
       o.reference || ', by ' || o.by_whom AS note
FROM ledger_transaction t JOIN ledger_entry e USING (transaction_id)
     LEFT JOIN refund_paid_outside o USING (transaction_id)
WHERE transaction_id = ANY(ARRAY(SELECT transaction_id FROM ledger_entry WHERE account = ANY($1)
                                 ORDER BY entry_id DESC LIMIT {most}))
ORDER BY t.at DESC, e.entry_id DESC LIMIT {most}
"""


@dataclass(frozen=True, slots=True)
class Statement:
    """Every posting that touches a booking's escrow or what is owed to its payer, with all its entries.

    A payout moves all that a provider has earned by whatever booking: it stands in no booking's postings.
    """

    entries: Few = field(default_factory=Few)

    @property
    def by_account(self) -> Mapping[tuple[str, str], int]:
        """What the entries come to: (account, currency) → minor units, in the order in which accounts occur."""
        sums: defaultdict[tuple[str, str], int] = defaultdict(int)
        for entry in self.entries.rows:
            sums[entry["account"], entry["currency"]] += entry["amount_minor"]
        return sums

    @property
    def in_all(self) -> Mapping[str, int]:
        """Currency → minor units: 0, or the ledger is wrong."""
        sums: defaultdict[str, int] = defaultdict(int)
        for entry in self.entries.rows:
            sums[entry["currency"]] += entry["amount_minor"]
        return sums

    @property
    def postings(self) -> Sequence[Sequence[Row]]:
        """The entries of each transaction, in order."""
        found: dict[UUID, list[Row]] = {}
        for entry in self.entries.rows:
            found.setdefault(entry["transaction_id"], []).append(entry)
        return list(found.values())


async def statement(connection: Connection, booking_id: UUID) -> Statement:
    """Of payments' database. Whole postings: where entries are left out, so is the rest of their posting."""
    found = await latest(connection, ENTRIES, [ledger.escrow(booking_id), ledger.refund_owed(booking_id)])
    if not found.left_out and not found.uncounted:
        return Statement(found)
    cut = found.rows[0]["transaction_id"]
    whole = [row for row in found.rows if row["transaction_id"] != cut]
    return Statement(Few(whole, found.left_out + len(found.rows) - len(whole), found.uncounted))
