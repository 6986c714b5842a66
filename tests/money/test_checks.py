"""The checks are checked: sound money passes, and each kind of missing cent is found by the check meant for it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import pytest

from tests.faults.facts import Entry
from tests.money.checks import differences
from tests.money.facts import Booking, ByHand, Intent, Money, Movement, Part, Payment, Payout, Refund, TopUp

EUR = "EUR"
PRICE = 1000


def posted(transaction: str, **amounts: int) -> list[Entry]:
    """A transaction; `__` stands for the colon of an account's name."""
    return [Entry(transaction, account.replace("__", ":"), EUR, amount) for account, amount in amounts.items()]


def sound() -> Money:
    """One completed by card, one cancelled for half, one by wallet, one whose chargeback was lost, one declined."""
    return Money(
        bookings=[
            Booking("done", "COMPLETED", "done", PRICE, EUR, (0, PRICE)),
            Booking("half", "CANCELLED_BY_CUSTOMER", "done", PRICE, EUR, (500, 500)),
            Booking("held", "CONFIRMED", "done", PRICE, EUR),
            Booking("lost", "COMPLETED", "done", PRICE, EUR, (0, PRICE)),
            Booking("poor", "PAYMENT_FAILED", "done", PRICE, EUR),
        ],
        payments=[
            Payment("done", None, "p", EUR, "settled", PRICE, 0, PRICE, 100),
            Payment("half", None, "p", EUR, "settled", PRICE, 500, 500, 50),
            Payment("held", "wanda", "p", EUR, "captured", PRICE, 0, 0, 0),
            Payment("lost", None, "p", EUR, "settled", PRICE, 0, PRICE, 100),
            Payment("poor", None, "p", EUR, "declined", 0, 0, 0, 0),
        ],
        refunds=[Refund("half", 500, "succeeded", "re_1")],
        payouts=[Payout("p", 900, EUR, "paid", "tr_1", 90), Payout("p", 450, EUR, "parked", None)],
        top_ups=[TopUp("cmd", "wanda", EUR, 3000, "done")],
        parts=[Part("wanda", EUR, 700, "sent", "re_2")],
        by_hand=[ByHand("re_4", "cmd", EUR, 100, 20, failed=False)],
        disputed={"du_1": "lost"},
        outcomes={"du_1": "lost", "du_2": "won", "du_3": "told"},
        entries=[
            *posted("1", stripe__clearing=-PRICE, escrow__done=PRICE),
            *posted("2", escrow__done=-PRICE, provider__p__payable=900, commission=100),
            *posted("3", provider__p__payable=-900, stripe__clearing=900),
            *posted("3a", stripe__clearing=-90, provider__p__payable=90),
            *posted("4", stripe__clearing=-PRICE, escrow__half=PRICE),
            *posted("5", escrow__half=-PRICE, stripe__clearing=500, provider__p__payable=450, commission=50),
            *posted("6", stripe__clearing=-3000, wallet__wanda__available=3000),
            *posted("7", wallet__wanda__available=-PRICE, escrow__held=PRICE),
            *posted("8", wallet__wanda__available=-700, stripe__clearing=700),
            *posted("9", stripe__clearing=-PRICE, escrow__lost=PRICE),
            *posted("10", escrow__lost=-PRICE, provider__p__payable=900, commission=100),
            *posted("11", chargeback__du_1=-PRICE, stripe__clearing=PRICE),
            *posted("13", wallet__wanda__available=-80, refund__losses=-20, stripe__clearing=100),
            *posted("12", chargeback__du_1=PRICE, chargeback__losses=-PRICE),
        ],
        intents=[
            Intent("pi_1", "done", EUR, "succeeded", PRICE),
            Intent("pi_2", "half", EUR, "succeeded", PRICE),
            Intent("pi_3", "cmd", EUR, "succeeded", 3000),
            Intent("pi_4", "lost", EUR, "succeeded", PRICE),
            Intent("pi_5", "poor", EUR, "canceled", 0),
        ],
        stripe_refunds=[
            Movement("re_1", "pi_2", EUR, 500, "succeeded"),
            Movement("re_2", "pi_3", EUR, 700, "succeeded"),
            Movement("re_4", "pi_3", EUR, 100, "succeeded"),
            Movement("re_3", "pi_2", EUR, 500, "failed"),
        ],
        transfers=[Movement("tr_1", "acct_1", EUR, 810)],
        disputes=[
            Movement("du_1", "pi_4", EUR, PRICE, "lost"),
            Movement("du_2", "pi_3", EUR, 0, "won"),
            Movement("du_3", "pi_1", EUR, 0, "warning_closed"),
        ],
    )


def one_line_short(money: Money) -> None:
    money.entries[0] = replace(money.entries[0], amount=-999)


def charged_behind_our_back(money: Money) -> None:
    money.intents.append(Intent("pi_9", "poor", EUR, "succeeded", PRICE))


def charged_twice(money: Money) -> None:
    money.intents[0] = replace(money.intents[0], received=500)
    money.intents.append(Intent("pi_9", "done", EUR, "succeeded", 500))


def refunded_twice(money: Money) -> None:
    money.stripe_refunds.append(Movement("re_9", "pi_2", EUR, 500, "succeeded"))


def refund_by_hand_unnoticed(money: Money) -> None:
    money.by_hand.clear()


def refund_never_sent(money: Money) -> None:
    money.refunds[0] = replace(money.refunds[0], stripe=None)


def transferred_twice(money: Money) -> None:
    money.transfers.append(Movement("tr_9", "acct_1", EUR, 900))


def commission_lost(money: Money) -> None:
    money.payments[0] = replace(money.payments[0], commission=99)


def wallet_locked_for_ever(money: Money) -> None:
    money.entries += posted("x", wallet__wanda__available=-1, wallet__wanda__locked=1)


def refund_failed_unnoticed(money: Money) -> None:
    money.stripe_refunds[0] = replace(money.stripe_refunds[0], status="failed")


def provider_got_what_the_payer_was_promised(money: Money) -> None:
    money.bookings[1] = replace(money.bookings[1], told=(PRICE, 0))


def charged_without_a_booking(money: Money) -> None:
    money.bookings[0] = replace(money.bookings[0], state="EXPIRED")


def confirmed_without_money(money: Money) -> None:
    money.bookings[4] = replace(money.bookings[4], state="CONFIRMED")


def authorisation_left(money: Money) -> None:
    money.intents[4] = replace(money.intents[4], status="requires_capture")


def saga_under_way(money: Money) -> None:
    money.bookings[0] = replace(money.bookings[0], saga="waiting")


def reversal_unnoticed(money: Money) -> None:
    money.payouts[0] = replace(money.payouts[0], reversed=0)


def won_after_all_unnoticed(money: Money) -> None:
    money.disputes[0] = replace(money.disputes[0], amount=0, status="won")


def left_to_a_person(money: Money) -> None:
    money.unclaimed.append("refund re_1 is of pi_1, which no row knows")


PLANTED: list[tuple[Callable[[Money], None], str]] = [
    (one_line_short, "ledger_is_balanced"),
    (charged_behind_our_back, "clearing_is_stripes_balance"),
    (charged_behind_our_back, "every_charge_is_captured_once"),
    (charged_twice, "every_charge_is_captured_once"),
    (refunded_twice, "refunds_are_stripes"),
    (refunded_twice, "payers_paid_what_bookings_say"),
    (refund_by_hand_unnoticed, "refunds_are_stripes"),
    (refund_by_hand_unnoticed, "wallets_are_the_ledger"),
    (refund_never_sent, "refunds_are_stripes"),
    (refund_failed_unnoticed, "refunds_are_stripes"),
    (transferred_twice, "transfers_are_payouts"),
    (reversal_unnoticed, "transfers_are_payouts"),
    (won_after_all_unnoticed, "clearing_is_stripes_balance"),
    (won_after_all_unnoticed, "disputes_are_chargebacks"),
    (left_to_a_person, "every_movement_is_somebodys"),
    (commission_lost, "payments_are_the_ledger"),
    (wallet_locked_for_ever, "wallets_are_the_ledger"),
    (provider_got_what_the_payer_was_promised, "bookings_say_what_payments_did"),
    (charged_without_a_booking, "bookings_say_what_payments_did"),
    (confirmed_without_money, "bookings_say_what_payments_did"),
    (authorisation_left, "nothing_is_left_half_done"),
    (saga_under_way, "nothing_is_left_half_done"),
]


def test_sound_money_agrees() -> None:
    assert differences(sound()) == []


@pytest.mark.parametrize(("plant", "check"), PLANTED, ids=lambda one: getattr(one, "__name__", one))
def test_a_planted_difference_is_found(plant: Callable[[Money], None], check: str) -> None:
    money = sound()
    plant(money)
    assert check in {found.split(":")[0] for found in differences(money)}
