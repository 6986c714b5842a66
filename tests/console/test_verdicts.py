"""Verdicts and numbers of the page Now: pure, from what was read (requirement console)."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import replace
from typing import Any
from uuid import UUID

import pytest
from booking_contracts.rights import SERVICES

from services.chassis.positions import Lag
from services.operations.console.app import routes
from services.operations.console.kafka import Seen
from services.operations.console.parts import Part
from services.operations.console.reads import linked_numbers
from services.operations.console.reads.engine import Engine
from services.operations.console.reads.heard import Heard
from services.operations.console.reads.verdicts import Readings, Tone, verdicts
from services.operations.console.reads.waiting_for_people import Ailing, Audit, Money, Sagas, Told
from services.operations.kafka_logs import Reader

pytestmark = pytest.mark.requirement("console")
NOTHING = Engine(
    service="",
    replicas=("one",),
    outbox_rows=0,
    outbox_seconds=0,
    timers_due=0,
    timers_seconds=0,
    letters=0,
    refused=0,
    blocked=0,
    blocked_seconds=0,
    calls=0,
    calls_seconds=0,
    failing_calls=0,
    failing_seconds=0,
    call_error=None,
    answer_seconds=0.001,
    waiting_for_locks=0,
    longest_seconds=0,
)
ALIVE = dict.fromkeys(SERVICES, (Reader("one", "/10.0.0.1"),))
HOOK = UUID(int=9)
AILS = Ailing(HOOK, "https://shop.example/hook", dead=False, off=False, seconds=420.0, last_error="it answered 503")


def readings(changed: Mapping[str, Mapping[str, Any]] | None = None, **given: Any) -> Readings:
    """All is well but for what is `changed` in a service's database, None: it is away."""
    engines: dict[str, Part[Engine]] = {}
    for service in SERVICES:
        of = (changed or {}).get(service, {})
        engines[service] = Part(service, replace(NOTHING, service=service, **of))
    usual: dict[str, Any] = {
        "engines": engines,
        "sagas": Part("booking", Sagas(3, 0, 0)),
        "money": Part("payments", Money({})),
        "told": Part("notifications", Told()),
        "audit": Part("operations", Audit({}, 5.0, None)),
        "stripe": Part("payments", Heard(1.0, 1.0)),
        "kafka": Seen(ALIVE, {}),
        "kafka_why": None,
    }
    return Readings(**{**usual, **given})


def said(of: Readings) -> dict[str, tuple[str, str]]:
    """By name, tone and the first reason."""
    return {one.name: (one.tone, one.why[0].said) for one in verdicts(of)}


def test_some_customers_do_not_pay() -> None:
    for of in (readings(paid={2: (0, 4), 10: (20, 8)}), readings(paid={2: (7, 6)})):
        assert said(of)["Stripe"][0] == Tone.GOOD


def test_where_all_is_well_each_is() -> None:
    assert [(one.name, one.tone) for one in verdicts(readings())] == [
        (name, Tone.GOOD) for name in ("Us", "Kafka", "PostgreSQL", "Stripe", "Mail server", "Subscribers", "Money")
    ]


AWAY: Part[Any] = Part("payments", None, "the database of payments does not answer")


AMISS = (
    (readings({"payments": {"replicas": ()}}, kafka=Seen({}, {})), "Us", Tone.BAD, "no replica of"),
    (readings(kafka=Seen({**ALIVE, "payments": ()}, {})), "Us", Tone.BAD, "no replica of payments"),
    (
        readings({"booking": {"letters": 2, "blocked": 1}}),
        "Us",
        Tone.BAD,
        "booking has dead letters (2); keys that wait behind them: 1",
    ),
    (
        readings({"booking": {"blocked": 3, "blocked_seconds": 11.0}}),
        "Us",
        Tone.WARN,
        "messages of 3 keys of booking",
    ),
    (readings({"booking": {"timers_seconds": 11.0}}), "Us", Tone.WARN, "timers of booking are 11 s late"),
    (
        readings(kafka=Seen(ALIVE, {"payments": {"payments.commands": Lag(40, 12.0)}})),
        "Us",
        Tone.WARN,
        "payments is 12 s behind in payments.commands: 40 records",
    ),
    (readings(sagas=Part("booking", Sagas(0, 1, 0))), "Us", Tone.BAD, "sagas are stuck: 1"),
    (
        readings(sagas=Part("booking", Sagas(9, 0, 9))),
        "Us",
        Tone.WARN,
        "payments does not answer, however often it is asked: sagas 9",
    ),
    (
        readings({"booking": {"holders": ("session 7 of ann has locked slot",)}}),
        "PostgreSQL",
        Tone.WARN,
        "in the database of booking, session 7 of ann has locked slot",
    ),
    (
        readings(paid={2: (0, 6), 10: (300, 6)}),
        "Stripe",
        Tone.WARN,
        "6 bookings of the last 2 minutes were not",
    ),
    (
        readings(paid={2: (0, 1), 10: (2, 6)}),
        "Stripe",
        Tone.WARN,
        "6 bookings of the last 10 minutes were",
    ),
    (
        readings(audit=Part("operations", Audit({"seats": 1}, 5.0, None))),
        "Us",
        Tone.BAD,
        "the auditor finds what does not agree: seats (1)",
    ),
    (readings(audit=Part("operations", Audit({}, None, None))), "Us", Tone.WARN, "the auditor does not look"),
    (
        readings(audit=Part("operations", Audit({}, 5.0, "booking does not answer"))),
        "Us",
        Tone.WARN,
        "the auditor cannot look: booking does not answer",
    ),
    (readings(kafka=None, kafka_why="Kafka does not answer"), "Kafka", Tone.BAD, "Kafka does not answer"),
    (readings({"booking": {"outbox_seconds": 60.0}}), "Kafka", Tone.WARN, "it may not take what we send"),
    (readings({"booking": {"outbox_seconds": 60.0}}), "Us", Tone.WARN, "the outbox of booking waits for 60 s"),
    (
        readings(audit=Part("operations", None, "the database of operations does not answer")),
        "PostgreSQL",
        Tone.BAD,
        "the database of operations does not answer",
    ),
    (readings({"booking": {"answer_seconds": 0.4}}), "PostgreSQL", Tone.WARN, "takes 400 ms"),
    (readings({"booking": {"waiting_for_locks": 7}}), "PostgreSQL", Tone.WARN, "7 sessions"),
    (readings({"booking": {"longest_seconds": 8.0}}), "PostgreSQL", Tone.WARN, "runs for 8 s"),
    (
        readings({"payments": {"failing_calls": 3, "failing_seconds": 90.0, "call_error": "503"}}),
        "Stripe",
        Tone.BAD,
        "3 calls are tried again, the oldest for 90 s: 503",
    ),
    (
        readings({"payments": {"failing_calls": 1, "failing_seconds": 2.0, "call_error": "503"}}),
        "Stripe",
        Tone.WARN,
        "1 calls",
    ),
    (readings(circuits=2), "Stripe", Tone.BAD, "2 replicas let no call through"),
    (
        readings(stripe=Part("payments", Heard(1.0, 1.0, late=2, late_seconds=12.0))),
        "Stripe",
        Tone.WARN,
        "webhooks are late: the last 2 events came 12 s or more",
    ),
    (
        readings({"notifications": {"failing_calls": 1, "failing_seconds": 61.0, "call_error": "refused"}}),
        "Mail server",
        Tone.BAD,
        "refused",
    ),
    (
        readings(told=Part("notifications", Told(ailing=[AILS]))),
        "Subscribers",
        Tone.WARN,
        "https://shop.example/hook takes nothing for 7 min: it",
    ),
    (
        readings(told=Part("notifications", Told(ailing=[AILS, replace(AILS, dead=True, seconds=90000.0)]))),
        "Subscribers",
        Tone.BAD,
        "https://shop.example/hook takes nothing for 25 h: it answered 503",
    ),
    (
        readings(told=Part("notifications", Told(ailing=[replace(AILS, dead=True, off=True, last_error=None)]))),
        "Subscribers",
        Tone.BAD,
        "took nothing and is switched off: it does not say why",
    ),
    (
        readings(money=Part("payments", Money({("payouts_failed", "true"): 2.0}, {"payouts": "account_closed"}))),
        "Money",
        Tone.BAD,
        "payouts are parked: 2; one of them for account_closed",
    ),
    (
        readings(money=Part("payments", Money({("refunds_failed", "true"): 1.0}))),
        "Money",
        Tone.BAD,
        "refunds are parked: 1; one of them for",
    ),
    (
        readings(money=Part("payments", Money({("payouts_without_account", ""): 3.0}))),
        "Money",
        Tone.WARN,
        "payouts have no account to go to: 3",
    ),
)


@pytest.mark.parametrize(("of", "name", "tone", "why"), AMISS)
def test_what_is_amiss_is_said_of_whom_it_is(of: Readings, name: str, tone: Tone, why: str) -> None:
    found = said(of)[name]
    assert found[0] == tone
    assert why in found[1]


GET = [re.sub(r"\{[^{}]*(?:\{[^{}]*\}[^{}]*)*\}", "[^/]+", route.path) for route in routes() if route.method == "GET"]


@pytest.mark.parametrize("of", [of for of, *_ in AMISS])
def test_whatever_is_amiss_leads_to_what_it_blames(of: Readings) -> None:
    paths = [why.path for verdict in verdicts(of) for why in verdict.why if why.tone != Tone.GOOD]
    for path in paths:
        assert any(re.fullmatch(one, path.partition("?")[0].partition("#")[0]) for one in GET), path


@pytest.mark.parametrize(
    ("of", "path"),
    [
        (readings(kafka=Seen({**ALIVE, "payments": ()}, {})), "/replicas?service=payments"),
        (readings(kafka=Seen(ALIVE, {"payments": {"payments.commands": Lag(40, 12.0)}})), "/groups?service=payments"),
        (readings(kafka=None, kafka_why="Kafka does not answer"), "/groups"),
        (readings({"booking": {"waiting_for_locks": 7}}), "/database?service=booking"),
        (readings(circuits=2), "/stripe"),
        (readings({"payments": {"failing_calls": 3}}), "/queues?service=payments&of=failing"),
        (readings({"booking": {"timers_seconds": 11.0}}), "/queues?service=booking&of=timers"),
        (readings({"booking": {"letters": 1, "the_letter": HOOK}}), f"/letters/booking/{HOOK}"),
        (readings(sagas=Part("booking", Sagas(0, 1, 0, HOOK))), f"/bookings/{HOOK}"),
        (readings(told=Part("notifications", Told(ailing=[AILS]))), f"/webhooks/{HOOK}"),
        (readings(money=Part("payments", Money({("payouts_failed", "true"): 2.0}))), "/money"),
        (readings(paid={2: (0, 6)}), "/payments?status=declined"),
    ],
)
def test_the_one_thing_that_is_to_blame_is_a_click_away(of: Readings, path: str) -> None:
    assert [why.path for verdict in verdicts(of) for why in verdict.why if why.tone != Tone.GOOD] == [path]


def test_a_database_that_is_away_is_said_once_and_what_is_in_it_is_not_known() -> None:
    of = readings()
    of = readings(engines={**of.engines, "payments": AWAY}, money=AWAY)
    found = said(of)
    assert found["PostgreSQL"] == (Tone.BAD, "the database of payments does not answer")
    assert found["Stripe"][0] == Tone.WARN
    assert found["Us"][0] == Tone.GOOD
    assert [one.name for one in linked_numbers.numbers(of) if "payments" in one.name] == []


def test_each_number_leads_to_a_list() -> None:
    paths = {one.path.partition("?")[0] for one in linked_numbers.numbers(readings())}
    assert paths <= {"/letters", "/sagas", "/money", "/webhooks", "/mails", "/findings", "/payments"}
    there = {route.path for route in routes() if route.method == "GET"}
    if "/letters" in there:
        assert paths <= there


def known(of: Readings) -> tuple[str, ...]:
    """What is said of Stripe in any case."""
    (found,) = (one for one in verdicts(of) if one.name == "Stripe")
    return found.known


def test_when_stripe_was_last_heard_of_is_said_in_words() -> None:
    heard = Heard(call_seconds=4.0, event_seconds=130.0)
    assert known(readings(stripe=Part("payments", heard))) == (
        "a call of 4.0 s ago was answered",
        "the last webhook was kept 2 min ago",
    )
    assert known(readings(stripe=Part("payments", Heard()))) == (
        "no call of the last day was answered",
        "no webhook is kept",
    )
    assert known(readings(stripe=AWAY)) == ()
