"""The tables of docs/scale.md, between marks that a page has for them; they are drawn, never written by hand."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path

from booking_contracts.rights import SERVICES
from booking_contracts.topics import PARTITIONS, TOPICS

from services.chassis.gathering import MOST
from tests.bench.scale import inputs, simulation
from tests.bench.scale.inputs import BATCH, FILL, MESSAGES_A_SAGA, PLACING, Batch
from tests.bench.scale.simulation import Crowd, Found, Replicas
from tests.bench.scale.sizing import Limit, limits, needs

PAGE = Path(__file__).resolve().parents[3] / "docs" / "scale.md"
SIZES = (1_000, 10_000, 100_000)
SECONDS = 10.0
BESIDE = 100
SHOWN = 4
BEHIND = 0.95
"""A run that did less of what came than this fell behind: its waiting has no end."""


def _table(head: Sequence[object], rows: Iterable[Sequence[object]]) -> str:
    lines = [head, ["---"] * len(head), *rows]
    return "".join("| " + " | ".join(str(cell) for cell in line) + " |\n" for line in lines).replace(" --- ", "---")


def _of_services(found: Mapping[str, float]) -> str:
    return " / ".join(str(found[service]) for service in SERVICES)


def inputs_table() -> str:
    """What was measured."""
    cpu, kept = inputs.CPU_MS, ", ".join(f"{kb} {how_long}" for how_long, kb in inputs.KEPT_KB.items())
    rows = [
        ("CPU, ms: booking / payments / notifications; PostgreSQL; Kafka",
         f"{_of_services(cpu)}; {cpu['PostgreSQL']}; {cpu['Kafka']}"),
        ("outbox rows; commits; WAL in KB: booking / payments / notifications",
         "; ".join(_of_services(found) for found in (inputs.OUTBOX_ROWS, inputs.COMMITS, inputs.WAL_KB))),
        ("records in Kafka, one copy, KB; calls to Stripe; letters",
         f"{inputs.KAFKA_KB}; {inputs.STRIPE_CALLS}; {inputs.LETTERS}"),
        ("tables with indexes, KB, by how long they stay", kept),
    ]  # fmt: skip
    others = [
        ("one relay: rows a second; its own CPU, ms a row. One-row commits a second, one after another",
         f"{inputs.RELAY_ROWS_PER_SECOND:,}; {inputs.RELAY_CPU_MS}; {inputs.COMMITS_PER_SECOND}"),
        ("booking, a batch of 1 / of 500, ms; of it with slots locked (mean of a saga's three messages)",
         _batch(BATCH)),
        ("the same, PlaceBookings alone", _batch(PLACING)),
    ]  # fmt: skip
    return f"Measured {inputs.MEASURED_ON}.\n\n" + _table(("of a card saga, or of a part", "figure"), rows + others)


def _batch(batch: Batch) -> str:
    locked = f"{batch.one_locked_ms} / {batch.full_locked_ms:.0f}"
    return f"{batch.one_ms} / {batch.full_ms:.0f}; {locked}"


def limits_table() -> str:
    """What each part of a cell can do."""
    return _table(
        ("part of one cell", f"filled to {FILL:.0%}".replace("%", " %"), "sagas/s"),
        ((one.part, one.formula, _thousands(one)) for one in limits()[:SHOWN]),
    )


def _thousands(limit: Limit) -> str:
    return f"{limit.sagas_per_second:,.0f}"


def needs_table() -> str:
    """What each size needs."""
    found = [needs(size) for size in SIZES]
    partitions, full = len(TOPICS) * PARTITIONS, limits()[0].sagas_per_second
    lines = [
        ("cells", [f"{one.cells:,}" for one in found]),
        (
            "a provider with this share of all fills a cell",
            [f"{100 * full / one.sagas_per_second:.1f} %" for one in found],
        ),
        ("replicas in a cell: booking / payments / notifications", [_of_services(one.replicas) for one in found]),
        ("databases; partitions, of all topics", [f"{3 * one.cells:,}; {partitions * one.cells:,}" for one in found]),
        ("cores: services; PostgreSQL; Kafka", [_cores(one.cores) for one in found]),
        ("WAL, MB/s: all; a cell", [f"{one.wal_mb_s:,.0f}; {one.wal_mb_s / one.cells:.0f}" for one in found]),
        (
            "Kafka's disks, three copies: MB/s; TB in 7 days",
            [f"{one.kafka_mb_s:,.0f}; {one.kafka_tb:,.0f}" for one in found],
        ),
        ("tables grow by, TB a day", [f"{one.tables_tb_a_day:,.1f}" for one in found]),
        ("letters; calls to Stripe a second", [f"{one.letters:,}; {one.stripe_calls:,}" for one in found]),
        ("accounts at Stripe's own limit", [f"{one.stripe_accounts:,}" for one in found]),
    ]
    head = ("", *(f"{size:,} sagas/s" for size in SIZES))
    return _table(head, ((name, *cells) for name, cells in lines))


def _cores(cores: Mapping[str, int]) -> str:
    return "; ".join(f"{n:,}" for n in (sum(cores[name] for name in SERVICES), cores["PostgreSQL"], cores["Kafka"]))


def agreement() -> str:
    """The simulation beside what was measured."""
    measured = (
        ("one slot for all", Crowd(one_slot=1.0), inputs.ONE_SLOT_SECONDS),
        ("each replica slots of its own", NOBODY_MEETS, inputs.OWN_SLOTS_SECONDS),
    )
    rows = [
        (where, replicas, seconds, f"{found:.2f}", f"{100 * (found / seconds - 1):+.0f} %")
        for where, crowd, by_replicas in measured
        for replicas, seconds in by_replicas.items()
        for found in [simulated_seconds(crowd, replicas)]
    ]
    return _table((f"{inputs.COMMANDS:,} PlaceBookings", "replicas", "measured, s", "simulated, s", ""), rows)


def simulated_seconds(crowd: Crowd, replicas: int) -> float:
    """Until COMMANDS PlaceBookings that wait already are committed."""
    shape = Replicas(replicas, batch=PLACING)
    found = simulation.at_most(crowd, shape, inputs.COMMANDS, messages_a_saga=1)
    return inputs.COMMANDS / found.sagas_per_second


NOBODY_MEETS = Crowd(providers=10_000, slots_each=100_000, zipf=0.0)
CROWDS = {
    "all alike": (Crowd(zipf=0.0), (500, 100, 25)),
    "favourites (Zipf, exponent 1)": (Crowd(), (500, 100, 25)),
    "one slot": (Crowd(one_slot=1.0), (500,)),
}
"""Who wants what, and batches of how many at most."""


def replicas_table() -> str:
    """What more replicas bring, by how the crowd is spread and by how large a batch may be."""
    counts = (1, 2, 4, 12)
    rows = [
        (
            name,
            most,
            f"{crowd.shared_slots(most):,.1f}",
            *(_rate(simulation.at_most(crowd, Replicas(count, most=most))) for count in counts),
        )
        for name, (crowd, sizes) in CROWDS.items()
        for most in sizes
    ]
    head = (
        "wanted",
        "batch at most",
        "slots two batches share",
        *(f"{count} replica{'s' * (count > 1)}" for count in counts),
    )
    return _table(head, rows)


def _rate(found: Found) -> str:
    return f"{found.sagas_per_second:,.0f}"


def partitions_table() -> str:
    """How full the partitions are: by booking ids, as they are keyed, and by provider ids, as they are not."""
    rate, rows = limits()[0].sagas_per_second, []
    for partitions in (12, 48, 192):
        average = rate * MESSAGES_A_SAGA / partitions * BATCH.full_ms / MOST / 1000
        now, other = (simulation.run(Crowd(), Replicas(4, partitions, by), rate, SECONDS) for by in (False, True))
        filled = (average, average * now.hottest_partition, average * other.hottest_partition)
        rows.append((partitions, *(f"{100 * one:.1f} %" for one in filled), " / ".join(_waits(now, rate))))
    return _table(("partitions", "average", "hottest", "hottest, were the key the provider", "p50 / p99 ms"), rows)


def _waits(found: Found, rate: float) -> tuple[str, str]:
    if found.sagas_per_second < BEHIND * rate:
        return "falls behind", f"does {_rate(found)}"
    return f"{found.p50_ms:.0f}", f"{found.p99_ms:.0f}"


def cells_table() -> str:
    """Providers placed in cells by a hash, and by a list that gives each the emptiest cell, the most popular first."""
    each, rows = limits()[0].sagas_per_second, []
    for cells in (1, 4, 16, 64):
        found: list[str] = []
        for by_hash in (True, False):
            hottest = max(simulation.spread(Crowd().popularity, cells, by_hash=by_hash), key=sum)
            rate = each * cells * sum(hottest)
            waits = _waits(simulation.run(Crowd(known=tuple(hottest)), Replicas(4), rate, SECONDS), rate)
            found += [f"{100 * rate / each * FILL:.0f} %", " / ".join(waits)]
        rows.append((cells, f"{each * cells:,.0f}", *found))
    head = ("cells", "sagas/s", "hottest, by hash", "p50 / p99 ms", "hottest, by list", "p50 / p99 ms")
    return _table(head, rows)


def hot_slot_table() -> str:
    """One slot that is wanted so often, beside a crowd of BESIDE sagas/s for everything else."""
    rows = []
    for wanted in (100, 250, 500, 1_000):
        rate = float(wanted + BESIDE)
        crowd = Crowd(one_slot=wanted / rate)
        found = [simulation.run(crowd, Replicas(count), rate, SECONDS) for count in (1, 2, 4)]
        rows.append((f"{wanted:,}", *(" / ".join(_waits(one, rate)) for one in found)))
    return _table(("sagas/s for one slot", "1 replica: p50 / p99 ms", "2 replicas", "4 replicas"), rows)


TABLES = {
    "inputs": inputs_table,
    "limits": limits_table,
    "needs": needs_table,
    "agreement": agreement,
    "replicas": replicas_table,
    "partitions": partitions_table,
    "cells": cells_table,
    "hot slot": hot_slot_table,
}


def drawn(page: str, names: Iterable[str] = TABLES) -> str:
    """The page with each of its tables as the figures have it today. Raises ValueError where one has no place."""
    for name in names:
        begin, end = f"<!-- {name} -->\n", f"<!-- end of {name} -->\n"
        new = begin + TABLES[name]() + end
        page, found = re.subn(f"{begin}.*?{end}", lambda _, new=new: new, page, flags=re.DOTALL)  # type: ignore[misc]
        if found != 1:
            raise ValueError(f"the page has {found} places for the table {name!r}")
    return page
