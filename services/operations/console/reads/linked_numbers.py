"""The numbers that somebody has to do something about, each with the address of its list. Pure."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from services.operations.console.reads import behind
from services.operations.console.reads.engine import COUNTED
from services.operations.console.reads.verdicts import Readings, Tone

TOLD_COUNTED = 1000


@dataclass(frozen=True, slots=True)
class Number:
    """`path`: the list behind it, without prefix. `bound`: where counting stopped."""

    name: str
    value: int
    path: str
    bad: Tone = Tone.BAD
    bound: int = COUNTED
    note: str = ""

    @property
    def tone(self) -> str:
        """Nothing where there is nothing."""
        return self.bad if self.value else ""


def numbers(of: Readings) -> list[Number]:
    """Of what could be read; a service whose database is away has none."""
    return [*_letters(of), *_sagas(of), *_money(of), *_told(of), *_findings(of)]


def _letters(of: Readings) -> Iterator[Number]:
    for engine in of.seen:
        keys = f"keys that wait behind them: {engine.blocked}" if engine.blocked else ""
        yield Number(f"Dead letters of {engine.service}", engine.letters, behind.letters(engine), note=keys)


def _sagas(of: Readings) -> Iterator[Number]:
    if of.sagas.data is not None:
        yield Number("Sagas that are stuck", of.sagas.data.stuck, behind.stuck(of.sagas.data))
        yield Number("Sagas without an answer", of.sagas.data.unanswered, behind.UNANSWERED, Tone.WARN)


def _money(of: Readings) -> Iterator[Number]:
    if of.money.data is None:
        return
    total = of.money.data.total
    for name, gauge in (("Refunds", "refunds_failed"), ("Payouts", "payouts_failed")):
        yield Number(f"{name} that are parked", total(gauge, "true"), behind.MONEY)
        yield Number(f"{name} that are tried again", total(gauge, "false"), behind.MONEY, Tone.WARN)
    yield Number("Payouts without an account", total("payouts_without_account"), behind.MONEY, Tone.WARN)
    yield Number("Chargebacks that are open", total("chargebacks_open"), behind.MONEY, Tone.WARN)
    yield Number("Payments that linger at Stripe", total("lingering"), "/payments?lingering=1", Tone.WARN, 1000)
    yield Number("Differences between Stripe and the ledger", total("not_agreeing"), behind.FINDINGS)
    yield Number("Payments at Stripe that no row knows", total("reports_open"), behind.FINDINGS)
    yield Number("Events of Stripe's that are set aside", total("events_aside"), behind.MONEY)


def _told(of: Readings) -> Iterator[Number]:
    if of.told.data is not None:
        told = of.told.data
        yield Number("Subscribers that are dead", told.subscribers_dead, behind.dead(told))
        yield Number("Webhooks that wait for over a minute", told.webhooks_waiting, behind.awaited(told), Tone.WARN)
        yield Number("Mails that failed, the last day", told.mails_failed, "/mails", Tone.WARN)
        yield Number("Mails that wait for over a minute", told.mails_waiting, "/mails?waiting=1", Tone.WARN)


def _findings(of: Readings) -> Iterator[Number]:
    if of.audit.data is not None:
        found = sum(of.audit.data.findings.values())
        yield Number("What does not agree", found, behind.findings(of.audit.data), bound=TOLD_COUNTED)
