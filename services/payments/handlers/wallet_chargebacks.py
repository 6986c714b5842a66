"""The dispute of a wallet's top-up: what is left in the wallet is locked while it is open (requirement chargebacks).

Else the payer's bank gives the money back and the wallet spends it once more. What was spent before is our loss.
"""

from __future__ import annotations

from dataclasses import replace

import structlog

from services.payments.model import ledger
from services.payments.model.chargeback import Chargeback
from services.payments.model.wallet import TopUp
from services.payments.work import PaymentsWork

log = structlog.get_logger()


def freeze(work: PaymentsWork, chargeback: Chargeback, owner: str) -> None:
    """Lock what the wallet has, at most the disputed amount; meanwhile the top-up's card takes no withdrawal."""
    frozen = min(work.balance(ledger.available(owner), chargeback.currency), chargeback.amount_minor)
    work.post("chargeback", _lock(owner, chargeback.currency, frozen))
    work.put(replace(chargeback, frozen_minor=frozen))
    _set_closed(work, chargeback, closed=True)
    log.error(
        "a wallet's top-up was charged back",
        dispute_id=chargeback.dispute_id,
        customer_id=owner,
        amount_minor=chargeback.amount_minor,
        frozen_minor=frozen,
        currency=chargeback.currency,
    )


def thaw(work: PaymentsWork, chargeback: Chargeback, owner: str) -> None:
    """Won: what was locked can be spent again."""
    work.post("chargeback won", _lock(owner, chargeback.currency, -chargeback.frozen_minor))
    work.put(replace(chargeback, frozen_minor=0))
    _set_closed(work, chargeback, closed=False)


def lose(work: PaymentsWork, chargeback: Chargeback, owner: str) -> None:
    """Lost: what was locked, then what has come into the wallet since, then our loss. The card takes no refund."""
    rest = chargeback.amount_minor - chargeback.frozen_minor
    more = min(work.balance(ledger.available(owner), chargeback.currency), rest)
    posting = ledger.top_up_chargeback_lost(
        chargeback.dispute_id,
        owner,
        chargeback.currency,
        chargeback.amount_minor,
        locked_minor=chargeback.frozen_minor,
        available_minor=more,
    )
    work.post("chargeback lost", posting)
    work.put(replace(chargeback, frozen_minor=0))
    _set_closed(work, chargeback, closed=True)


def _lock(owner: str, currency: str, amount_minor: int) -> tuple[ledger.Entry, ...]:
    return ledger.move(currency, amount_minor, debit=ledger.available(owner), credit=ledger.locked(owner))


def _set_closed(work: PaymentsWork, chargeback: Chargeback, *, closed: bool) -> None:
    top_up = work.find(TopUp, chargeback.top_up_id)
    assert top_up is not None, "a wallet's chargeback is loaded with its top-up"
    work.put(replace(top_up, closed=closed))
