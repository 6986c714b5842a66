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
        path = f"/letters/{engine.service}/{engine.the_letter}" if engine.the_letter else path
        behind = f"keys that wait behind them: {engine.blocked}" if engine.blocked else ""
        yield Number(f"Dead letters of {engine.service}", engine.letters, path, note=behind)


def _sagas(of: Readings) -> Iterator[Number]:
    if of.sagas.data is not None:
        stuck = of.sagas.data.the_stuck
        path = f"/bookings/{stuck}" if stuck else "/sagas?status=stuck"
        yield Number("Sagas that are stuck", of.sagas.data.stuck, path)
        yield Number("Sagas without an answer", of.sagas.data.unanswered, "/sagas?unanswered=1", Tone.WARN)


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
    yield Number("Payments that linger at Stripe", total("lingering"), "/payments?lingering=1", Tone.WARN, 1000)
    yield Number("Differences between Stripe and the ledger", total("not_agreeing"), "/findings")
    yield Number("Payments at Stripe that no row knows", total("reports_open"), "/findings")
    yield Number("Events of Stripe's that are set aside", total("events_aside"), "/money")


def _told(of: Readings) -> Iterator[Number]:
    if of.told.data is not None:
        told = of.told.data
        dead = f"/webhooks/{told.the_dead}" if told.the_dead else "/webhooks?ailing=1"
        yield Number("Subscribers that are dead", told.subscribers_dead, dead)
        awaited = f"/webhooks/{told.the_awaited}?state=pending" if told.the_awaited else "/webhooks?waiting=1"
        yield Number("Webhooks that wait for over a minute", told.webhooks_waiting, awaited, Tone.WARN)
        yield Number("Mails that failed, the last day", told.mails_failed, "/mails", Tone.WARN)
        yield Number("Mails that wait for over a minute", told.mails_waiting, "/mails?waiting=1", Tone.WARN)


def _findings(of: Readings) -> Iterator[Number]:
    if of.audit.data is not None:
        found = sum(of.audit.data.findings.values())
        the_one = of.audit.data.the_finding
        path = f"/findings/{the_one}" if the_one else "/findings"
        yield Number("What does not agree", found, path, bound=TOLD_COUNTED)
