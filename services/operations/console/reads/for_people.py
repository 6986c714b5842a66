"""The numbers that somebody has to do something about, each with the address of its list. Pure."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

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
        path = f"/letters?service={engine.service}"
        behind = f"keys that wait behind them: {engine.blocked}" if engine.blocked else ""
        yield Number(f"Dead letters of {engine.service}", engine.letters, path, note=behind)


def _sagas(of: Readings) -> Iterator[Number]:
    if of.sagas.data is not None:
        yield Number("Sagas that are stuck", of.sagas.data.stuck, "/sagas?status=stuck")
        yield Number("Sagas without an answer", of.sagas.data.unanswered, "/sagas?status=waiting", Tone.WARN)


def _money(of: Readings) -> Iterator[Number]:
    if of.money.data is None:
        return
    found = of.money.data

    def total(gauge: str, only: str | None = None) -> int:
        return int(sum(value for (name, label), value in found.items() if name == gauge and only in (None, label)))

    for name, gauge in (("Refunds", "refunds_failed"), ("Payouts", "payouts_failed")):
        yield Number(f"{name} that are parked", total(gauge, "true"), "/money")
        yield Number(f"{name} that are tried again", total(gauge, "false"), "/money", Tone.WARN)
    yield Number("Payouts without an account", total("payouts_without_account"), "/money", Tone.WARN)
    yield Number("Chargebacks that are open", total("chargebacks_open"), "/money", Tone.WARN)
    yield Number("Payments that linger at Stripe", total("lingering"), "/findings", Tone.WARN, 1000)
    yield Number("Differences between Stripe and the ledger", total("not_agreeing"), "/findings")
    yield Number("Payments at Stripe that no row knows", total("reports_open"), "/findings")
    yield Number("Events of Stripe's that are set aside", total("events_aside"), "/money")


def _told(of: Readings) -> Iterator[Number]:
    if of.told.data is not None:
        yield Number("Subscribers that are dead", of.told.data.subscribers_dead, "/webhooks?ailing=1")
        waiting = of.told.data.webhooks_waiting
        slow = of.told.data.webhooks_seconds > 60
        yield Number("Webhooks that wait", waiting, "/webhooks", Tone.WARN if slow else Tone.GOOD)
        yield Number("Mails that failed, the last day", of.told.data.mails_failed, "/mails", Tone.WARN)
        slow = of.told.data.mails_seconds > 60
        yield Number("Mails that wait", of.told.data.mails_waiting, "/mails", Tone.WARN if slow else Tone.GOOD)


def _findings(of: Readings) -> Iterator[Number]:
    if of.audit.data is not None:
        found = sum(of.audit.data.findings.values())
        yield Number("What does not agree", found, "/findings", bound=TOLD_COUNTED)
