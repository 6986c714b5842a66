"""The page shows what the figures say today, and the simulation does what can be reckoned by hand."""

from __future__ import annotations

import pytest

from services.chassis.gathering import MOST
from tests.bench.scale import inputs, page, simulation, sizing
from tests.bench.scale.inputs import BATCH, PLACING
from tests.bench.scale.simulation import Crowd, Replicas

ALIKE = Crowd(providers=100_000, slots_each=100, zipf=0.0)
CROWD = Crowd(one_slot=1.0)


def test_the_page_shows_the_figures_of_today() -> None:
    shown = page.PAGE.read_text()
    assert page.drawn(shown) == shown, "python -m tests.bench.scale --page"


def test_a_figure_that_changes_changes_the_page(monkeypatch: pytest.MonkeyPatch) -> None:
    shown = page.PAGE.read_text()
    monkeypatch.setattr(inputs, "KAFKA_KB", inputs.KAFKA_KB + 1)
    assert page.drawn(shown, ("inputs",)) != shown


def test_a_page_without_a_place_for_a_table_is_refused() -> None:
    with pytest.raises(ValueError, match="0 places for the table 'limits'"):
        page.drawn("", ("limits",))


def test_one_replica_does_one_full_batch_after_another() -> None:
    found = simulation.at_most(CROWD, Replicas(1), sagas=3 * MOST, messages_a_saga=1)
    assert found.mean_batch == MOST
    assert found.p50_ms == pytest.approx(2 * BATCH.full_ms)
    assert found.p99_ms == pytest.approx(3 * BATCH.full_ms)
    assert found.sagas_per_second == pytest.approx(1000 * MOST / BATCH.full_ms)


def test_replicas_that_share_no_slot_add_up() -> None:
    one, four = (simulation.at_most(ALIKE, Replicas(count, most=25)).sagas_per_second for count in (1, 4))
    assert four == pytest.approx(4 * one, rel=0.05)


def test_two_batches_never_hold_one_slot_at_once() -> None:
    for count in (2, 4, 12):
        found = simulation.at_most(CROWD, Replicas(count, batch=PLACING), messages_a_saga=1)
        assert found.sagas_per_second <= 1000 * MOST / PLACING.full_locked_ms
        assert found.waiting_for_locks > 0.1


def test_who_comes_when_nothing_is_to_be_done_is_served_at_once() -> None:
    found = simulation.run(ALIKE, Replicas(1), sagas_per_second=1, seconds=60)
    assert found.p50_ms == pytest.approx(BATCH.one_ms)


def test_partitions_are_even_by_booking_and_uneven_by_provider() -> None:
    by_booking, by_provider = (
        simulation.run(Crowd(), Replicas(4, 48, by), 500).hottest_partition for by in (False, True)
    )
    assert by_booking < 1.2
    assert by_provider > 4


def test_the_simulation_comes_near_what_was_measured_on_one_slot() -> None:
    for replicas, measured in inputs.ONE_SLOT_SECONDS.items():
        assert page.simulated_seconds(CROWD, replicas) == pytest.approx(measured, rel=0.25)


def test_a_list_places_providers_at_least_as_evenly_as_a_hash() -> None:
    shares = Crowd().popularity
    hash_, list_ = (simulation.spread(shares, 16, by_hash=by) for by in (True, False))
    for cells in (hash_, list_):
        assert sum(map(sum, cells)) == pytest.approx(1)
    assert max(map(sum, list_)) <= max(map(sum, hash_))
    assert max(map(sum, list_)) >= shares[0]


def test_cells_are_as_many_as_their_least_limit_asks_for() -> None:
    least = sizing.limits()[0].sagas_per_second
    for size in page.SIZES:
        cells = sizing.needs(size).cells
        assert size / cells <= least
        assert size / (cells - 1) > least
