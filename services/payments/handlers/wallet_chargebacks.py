"""The dispute of a wallet's top-up: what is left in the wallet is locked while it is open (requirement chargebacks).

Else the payer's bank gives the money back and the wallet spends it once more. What was spent before is our loss.
"""

from __future__ import annotations

from dataclasses import replace

import structlog

from services.payments.handlers import unclaimed_events
from services.payments.model import ledger
from services.payments.model.chargeback import Chargeback, Outcome
from services.payments.model.ledger import Cause
from services.payments.model.wallet import TopUp
from services.payments.work import PaymentsWork

log = structlog.get_logger()


def opened(work: PaymentsWork, chargeback: Chargeback) -> Chargeback:
    """Lock what the wallet has, at most the disputed amount; meanwhile the top-up's card takes no withdrawal.

    Taken in another currency than was topped up it can only be our loss: a person looks.
    """
    top_up = _set_closed(work, chargeback, closed=True)
    if top_up.currency != chargeback.currency:
        what = f"dispute {chargeback.dispute_id} took {chargeback.amount_minor} {chargeback.currency}"
        finding = f"{what} of a top-up in {top_up.currency}"
        unclaimed_events.note(work, chargeback.payment_intent, finding, customer_id=chargeback.customer_id)
    else:
        chargeback = _freeze(work, chargeback)
    log.error(
        "a wallet's top-up was charged back",
        dispute_id=chargeback.dispute_id,
        customer_id=chargeback.customer_id,
        amount_minor=chargeback.amount_minor,
        frozen_minor=chargeback.frozen_minor,
        currency=chargeback.currency,
    )
    return work.put(chargeback)


def freeze_rest(work: PaymentsWork, owner: str) -> None:
    """What had left the wallet for a card or a booking is back, that of a disputed top-up perhaps: it cannot be spent
    either."""
    for chargeback in list(work.all(Chargeback)):
        if (chargeback.customer_id, chargeback.outcome) != (owner, Outcome.OPEN):
            continue
        top_up = work.find(TopUp, chargeback.top_up_id)
        if top_up is not None and top_up.currency == chargeback.currency:
            work.put(_freeze(work, chargeback))


def won(work: PaymentsWork, chargeback: Chargeback) -> Chargeback:
    """What was locked can be spent again."""
    work.post(Cause.CHARGEBACK_WON, _lock(chargeback, -chargeback.frozen_minor))
    _set_closed(work, chargeback, closed=False)
    return work.put(replace(chargeback, frozen_minor=0))


def lost(work: PaymentsWork, chargeback: Chargeback) -> Chargeback:
    """What was locked, then what has come into the wallet since, then our loss. The card takes no refund."""
    top_up, frozen = _set_closed(work, chargeback, closed=True), chargeback.frozen_minor
    owner, amount = top_up.customer_id, chargeback.amount_minor
    more = 0
    if top_up.currency == chargeback.currency:
        more = min(work.balance(ledger.available(owner), chargeback.currency), amount - frozen)
    taken = {ledger.locked(owner): frozen, ledger.available(owner): more}
    work.post(Cause.CHARGEBACK_LOST, ledger.chargeback_lost(chargeback.dispute_id, chargeback.currency, amount, taken))
    return work.put(replace(chargeback, frozen_minor=0, covered_minor=frozen + more))


def taken_up(work: PaymentsWork, chargeback: Chargeback) -> Chargeback:
    """What the loss took from the wallet is there again, and locked."""
    assert chargeback.customer_id is not None, "it is of a wallet"
    back, amount = chargeback.covered_minor, chargeback.amount_minor
    taken = {ledger.locked(chargeback.customer_id): -back}
    undone = ledger.chargeback_lost(chargeback.dispute_id, chargeback.currency, -amount, taken)
    work.post(Cause.CHARGEBACK_TAKEN_UP, undone)
    return work.put(replace(chargeback, frozen_minor=back, covered_minor=0))


def _freeze(work: PaymentsWork, chargeback: Chargeback) -> Chargeback:
    assert chargeback.customer_id is not None, "it is of a wallet"
    has = work.balance(ledger.available(chargeback.customer_id), chargeback.currency)
    more = min(has, chargeback.amount_minor - chargeback.frozen_minor)
    work.post(Cause.CHARGEBACK, _lock(chargeback, more))
    return replace(chargeback, frozen_minor=chargeback.frozen_minor + more)


def _lock(chargeback: Chargeback, amount_minor: int) -> tuple[ledger.Entry, ...]:
    assert chargeback.customer_id is not None, "it is of a wallet"
    has, holds = ledger.available(chargeback.customer_id), ledger.locked(chargeback.customer_id)
    return ledger.move(chargeback.currency, amount_minor, debit=has, credit=holds)


def _set_closed(work: PaymentsWork, chargeback: Chargeback, *, closed: bool) -> TopUp:
    top_up = work.find(TopUp, chargeback.top_up_id)
    assert top_up is not None, "a wallet's chargeback is loaded with its top-up"
    return work.put(replace(top_up, closed=closed))
