"""To the cent: Stripe = ledger = payments' rows = bookings. Pure; shares no code with what it checks."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Callable, Iterable, Mapping

from tests.money.facts import Money, Movement

CLEARING, COMMISSION, LOSSES = "stripe:clearing", "commission", "chargeback:losses"
UNPAID = ("PAYMENT_FAILED", "EXPIRED", "REJECTED_BY_PROVIDER", "PENDING_PAYMENT", "PENDING_APPROVAL")
IN_ESCROW = ("CONFIRMED", "PENDING_CONFIRMATION", "DISPUTED")
Sums = Mapping[tuple[str, str], int]


def ledger_is_balanced(money: Money) -> list[str]:
    """Every transaction sums to zero per currency."""
    sums: Counter[tuple[str, str]] = Counter()
    for entry in money.entries:
        sums[entry.transaction, entry.currency] += entry.amount
    return [f"transaction {of} is {amount} {currency} off" for (of, currency), amount in sums.items() if amount]


def clearing_is_stripes_balance(money: Money) -> list[str]:
    """Charged, less what was refunded, transferred and disputed, is what the clearing account says."""
    holds: Counter[str] = Counter()
    for intent in money.intents:
        holds[intent.currency] += intent.received
    for moved in (*_live(money.stripe_refunds), *money.transfers, *money.disputes):
        holds[moved.currency] -= moved.amount
    said = Counter({currency: -amount for (account, currency), amount in _of(money, CLEARING).items()})
    return _different("Stripe's balance", _with("", holds), _with("", said))


def every_charge_is_captured_once(money: Money) -> list[str]:
    """A booking's payment was captured for what Stripe charged for it, by one PaymentIntent; a top-up likewise."""
    charged: Counter[str] = Counter()
    times: Counter[str] = Counter()
    for intent in money.intents:
        charged[intent.of] += intent.received
        times[intent.of] += intent.received > 0
    said = Counter({payment.booking_id: payment.captured for payment in money.payments if payment.wallet is None})
    said.update({top_up.command_id: top_up.amount for top_up in money.top_ups if top_up.status == "done"})
    twice = [f"{of} was charged {count} times" for of, count in times.items() if count > 1]
    return twice + _different("charged for", _with("", charged), _with("", said))


def refunds_are_stripes(money: Money) -> list[str]:
    """Each refund of ours that is under way or done is one of Stripe's, of the same amount, and the other way round.

    But for those to a wallet, and those that a lost chargeback has made good.
    """
    theirs = {refund.id: refund.amount for refund in _live(money.stripe_refunds)}
    elsewhere = {payment.booking_id for payment in money.payments if payment.wallet is not None}
    elsewhere |= {money.disputed[one.id] for one in money.disputes if one.status == "lost" and one.id in money.disputed}
    ours = {
        refund.stripe or f"unknown, of {refund.booking_id}": refund.amount
        for refund in money.refunds
        if refund.status != "failed" and (refund.stripe in theirs or refund.booking_id not in elsewhere)
    }
    ours |= {part.stripe or "unknown": part.amount for part in money.parts if part.status != "failed"}
    ours |= {one.stripe: one.amount for one in money.by_hand if not one.failed}
    return _different("refund", _with("", ours), _with("", theirs))


def transfers_are_payouts(money: Money) -> list[str]:
    """Each payout that was made is one transfer of the same amount, and the other way round."""
    ours = {payout.transfer: payout.amount - payout.reversed for payout in money.payouts if payout.transfer}
    theirs = {transfer.id: transfer.amount for transfer in money.transfers}
    return _different("transfer", _with("", ours), _with("", theirs))


def payments_are_the_ledger(money: Money) -> list[str]:
    """Escrow, payables and commission follow from payments' rows."""
    rows: Counter[tuple[str, str]] = Counter()
    for payment in money.payments:
        currency = payment.currency
        rows[f"escrow:{payment.booking_id}", currency] += payment.captured - payment.refunded - payment.released
        rows[f"provider:{payment.provider_id}:payable", currency] += payment.released - payment.commission
        rows[COMMISSION, currency] += payment.commission
    for payout in money.payouts:
        if payout.status == "paid":
            rows[f"provider:{payout.provider_id}:payable", payout.currency] -= payout.amount - payout.reversed
    return _different("account", rows, {**_of(money, "escrow:"), **_of(money, "provider:"), **_of(money, COMMISSION)})


def wallets_are_the_ledger(money: Money) -> list[str]:
    """Topped up, less spent, withdrawn and taken back, plus refunded, is what a wallet holds; nothing stays locked."""
    rows: Counter[tuple[str, str]] = Counter()
    for top_up in money.top_ups:
        if top_up.status == "done":
            rows[f"wallet:{top_up.customer_id}:available", top_up.currency] += top_up.amount
    for part in money.parts:
        if part.status != "failed":
            rows[f"wallet:{part.customer_id}:available", part.currency] -= part.amount
    for payment in money.payments:
        if payment.wallet is not None:
            rows[f"wallet:{payment.wallet}:available", payment.currency] -= payment.captured - payment.refunded
    top_ups, of_intent = {top_up.command_id: top_up for top_up in money.top_ups}, {i.id: i.of for i in money.intents}
    lost = _lost_by(money)
    taken = [(of_intent[one.to], one.amount - lost[one.id]) for one in money.disputes if one.status == "lost"]
    taken += [(one.of, one.amount - one.lost) for one in money.by_hand if not one.failed]
    for of, amount in taken:
        if of in top_ups:
            rows[f"wallet:{top_ups[of].customer_id}:available", top_ups[of].currency] -= amount
    return _different("account", rows, _of(money, "wallet:"))


def payers_paid_what_bookings_say(money: Money) -> list[str]:
    """Paid, less what came back and what is still owed, is what the provider and we got; of each booking.

    Paid and given back are Stripe's figures for a card and the payment's for a wallet. A lost chargeback is money given
    back; our loss made up for what the escrow had not.
    """
    net: Counter[str] = Counter()
    of_intent = {intent.id: intent.of for intent in money.intents}
    for intent in money.intents:
        net[intent.of] += intent.received
    for moved in (*_live(money.stripe_refunds), *money.disputes):
        net[of_intent[moved.to]] -= moved.amount
    owed, losses = _owed(money), _losses(money)
    payments = {payment.booking_id: payment for payment in money.payments}
    wrong = []
    for booking in money.bookings:
        payment = payments.get(booking.id)
        escrow = 0 if payment is None else payment.captured - payment.refunded - payment.released
        released = 0 if payment is None else payment.released
        paid = net[booking.id] - owed[booking.id] + losses[booking.id]
        if payment is not None and payment.wallet is not None:
            paid = payment.captured - payment.refunded
        if paid != released + escrow:
            wrong.append(f"{booking}: the payer paid {paid}, {released} released, {escrow} in escrow")
    return wrong


def bookings_say_what_payments_did(money: Money) -> list[str]:
    """The state of a booking and its last event tell what became of its price."""
    payments = {payment.booking_id: payment for payment in money.payments}
    taken_back = {*money.disputed.values(), *(one.of for one in money.by_hand)}
    wrong = []
    for booking in money.bookings:
        payment = payments.get(booking.id)
        captured, refunded, released = (
            (0, 0, 0) if payment is None else (payment.captured, payment.refunded, payment.released)
        )
        if booking.state in IN_ESCROW:
            right = captured == booking.price and (released == 0) and (refunded == 0 or booking.id in taken_back)
        elif booking.state in UNPAID:
            right = released == 0 and refunded == captured
        elif booking.told is None:
            right = False
        elif not captured:
            right = booking.state.startswith("CANCELLED")
        else:
            right = refunded + released == captured == booking.price and (
                (refunded, released) == booking.told or (booking.id in taken_back and released <= booking.told[1])
            )
        if not right:
            wrong.append(f"{booking}: captured {captured}, refunded {refunded}, released {released}")
    return wrong


def disputes_are_chargebacks(money: Money) -> list[str]:
    """Each dispute that ever took money stands here as it does at the bank, however often it has changed."""
    known = {dispute: outcome for dispute, outcome in money.outcomes.items() if outcome != "told"}
    theirs = {one.id: one.status for one in money.disputes if one.status in ("won", "lost")}
    names = sorted(known.keys() | theirs.keys())
    wrong = [name for name in names if known.get(name) != theirs.get(name)]
    return [f"dispute {name} is {known.get(name)} here and {theirs.get(name)} there" for name in wrong]


def every_movement_is_somebodys(money: Money) -> list[str]:
    """No event of Stripe's was left to a person: all charges here are ours."""
    return list(money.unclaimed)


def nothing_is_left_half_done(money: Money) -> list[str]:
    """No authorisation stays at Stripe, no saga and no payment is under way, no refund or payout is forgotten."""
    wrong = [f"{i.id} of {i.of} is {i.status}" for i in money.intents if i.status.startswith("requires_c")]
    wrong += [f"saga of {booking}" for booking in money.bookings if booking.saga not in ("done", "none")]
    wrong += [f"{payment}" for payment in money.payments if payment.status in ("pending", "authorized")]
    wrong += [f"{refund}" for refund in money.refunds if refund.status == "pending"]
    wrong += [f"{part}" for part in money.parts if part.status == "pending"]
    wrong += [f"{top_up}" for top_up in money.top_ups if top_up.status == "pending"]
    return wrong + [f"{payout}" for payout in money.payouts if payout.status == "pending"]


CHECKS: tuple[Callable[[Money], list[str]], ...] = (
    ledger_is_balanced,
    clearing_is_stripes_balance,
    every_charge_is_captured_once,
    refunds_are_stripes,
    transfers_are_payouts,
    payments_are_the_ledger,
    wallets_are_the_ledger,
    payers_paid_what_bookings_say,
    bookings_say_what_payments_did,
    disputes_are_chargebacks,
    every_movement_is_somebodys,
    nothing_is_left_half_done,
)


def differences(money: Money) -> list[str]:
    """Everything that does not agree, named by its check."""
    return [f"{check.__name__}: {wrong}" for check in CHECKS for wrong in check(money)]


def _live(refunds: Iterable[Movement]) -> list[Movement]:
    return [refund for refund in refunds if refund.status in ("pending", "succeeded")]


def _of(money: Money, prefix: str) -> dict[tuple[str, str], int]:
    return {key: amount for key, amount in money.balances().items() if key[0].startswith(prefix)}


def _with(currency: str, sums: Mapping[str, int]) -> dict[tuple[str, str], int]:
    return {(name, currency): amount for name, amount in sums.items()}


def _different(what: str, one: Sums, other: Sums) -> list[str]:
    return [
        f"{what} {name} {currency}: {one.get((name, currency), 0)} against {other.get((name, currency), 0)}".rstrip()
        for name, currency in sorted({*one, *other})
        if one.get((name, currency), 0) != other.get((name, currency), 0)
    ]


def _owed(money: Money) -> Counter[str]:
    """Refunds that came back and are still owed, by booking."""
    owed: Counter[str] = Counter()
    for (account, _), amount in _of(money, "refund:").items():
        owed[account.split(":")[1]] += amount
    return owed


def _losses(money: Money) -> Counter[str]:
    """What chargebacks and refunds by hand cost us, by booking."""
    losses: Counter[str] = Counter()
    for dispute, lost in _lost_by(money).items():
        if dispute in money.disputed:
            losses[money.disputed[dispute]] += lost
    for one in money.by_hand:
        losses[one.of] += one.lost
    return losses


def _lost_by(money: Money) -> Counter[str]:
    """What each lost chargeback cost us."""
    lines: defaultdict[str, list[tuple[str, int]]] = defaultdict(list)
    for entry in money.entries:
        lines[entry.transaction].append((entry.account, entry.amount))
    losses: Counter[str] = Counter()
    for entries in lines.values():
        lost = -sum(amount for account, amount in entries if account == LOSSES)
        for account, _ in entries:
            if lost and account.startswith("chargeback:") and account != LOSSES:
                losses[account.removeprefix("chargeback:")] += lost
    return losses
