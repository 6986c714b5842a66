"""`python -m tests.bench.scale` prints the tables of docs/scale.md; with options, one run of the simulation.

`--page` draws the page's tables anew, `--measure` measures on a stack of its own what inputs.py has.
"""

from __future__ import annotations

import argparse
from dataclasses import asdict

from tests.bench.scale import measure, page, simulation
from tests.bench.scale.simulation import Crowd, Replicas


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m tests.bench.scale", description=__doc__)
    parser.add_argument("--page", action="store_true", help="write the tables into docs/scale.md")
    parser.add_argument("--measure", action="store_true", help="measure what goes into inputs.py; two minutes")
    parser.add_argument("--sagas", type=float, help="one run: sagas a second of one cell")
    parser.add_argument("--replicas", type=int, default=2, help="of booking")
    parser.add_argument("--batch", type=int, default=500, help="messages in a batch at most")
    parser.add_argument("--providers", type=int, default=10_000)
    parser.add_argument("--slots", type=int, default=20, help="of each provider")
    parser.add_argument("--zipf", type=float, default=1.0, help="how unequally they are wanted; 0: all alike")
    parser.add_argument("--hot", type=float, default=0.0, help="of these, sagas a second for one slot")
    return parser.parse_args()


def _one_run(options: argparse.Namespace) -> None:
    crowd = Crowd(options.providers, options.slots, options.zipf, options.hot / options.sagas)
    shape = Replicas(options.replicas, most=options.batch)
    for name, value in asdict(simulation.run(crowd, shape, options.sagas)).items():
        print(f"{name:18} {value:,.2f}")
    print(f"{'at most':18} {simulation.at_most(crowd, shape).sagas_per_second:,.0f} sagas/s")


if __name__ == "__main__":
    chosen = _options()
    if chosen.measure:
        measure.run()
    elif chosen.page:
        page.PAGE.write_text(page.drawn(page.PAGE.read_text()))
    elif chosen.sagas:
        _one_run(chosen)
    else:
        for name, table in page.TABLES.items():
            print(f"{name}\n\n{table()}")
