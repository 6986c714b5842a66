"""`make bench`, `make bench ARGS=--quick`, `… ARGS="--only card,rates"`, `… ARGS=--domain`, `… --queries`.

The last line is JSON with exactly the keys of the figures. `--keep` adds it to docs/performance.
"""

from __future__ import annotations

import argparse
import json

QUICK = {
    "sagas": 600,
    "warm_up": 200,
    "seconds": 8.0,
    "hot_commands": 1000,
    "wallets": 400,
    "changes": 300,
    "timers": 1000,
    "alone": 3,
    "idle_seconds": 5.0,
}
"""About a minute and a half in all; the figures scatter more, and a burst of 1,000 is a burst of 300."""


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m tests.bench", description=__doc__)
    parser.add_argument(
        "--domain", action="store_true", help="booking's engine and reads alone, with few and many rows"
    )
    parser.add_argument("--queries", action="store_true", help="every read and periodic query, with many rows")
    parser.add_argument("--profile", action="store_true", help="with --domain: where the time goes")
    parser.add_argument(
        "--bookings", type=int, default=1_000_000, help="with --domain, --queries: rows of the large database"
    )
    parser.add_argument("--quick", action="store_true", help="smaller numbers, unless they are given")
    parser.add_argument("--only", default="", help="rows of tests/bench/system.py, by name, with commas")
    parser.add_argument("--keep", action="store_true", help="add the figures to docs/performance and draw them anew")
    parser.add_argument("--sagas", type=int, default=6000, help="sagas of a saturation run")
    parser.add_argument("--warm-up", type=int, default=500, help="sagas before everything")
    parser.add_argument("--in-flight", type=int, default=500, help="sagas open at a time")
    parser.add_argument("--seconds", type=float, default=25.0, help="length of each run at a fixed rate")
    parser.add_argument("--hot-commands", type=int, default=5000)
    parser.add_argument("--hot-seats", type=int, default=100)
    parser.add_argument("--wallets", type=int, default=3000, help="sagas that wallets pay")
    parser.add_argument("--changes", type=int, default=1000, help="bookings that are moved, and then cancelled")
    parser.add_argument("--timers", type=int, default=10_000, help="deadlines that pass together")
    parser.add_argument("--alone", type=int, default=5, help="sagas of which every statement is counted")
    parser.add_argument("--idle-seconds", type=float, default=10.0)
    chosen = parser.parse_args()
    if chosen.quick:
        parser.set_defaults(**QUICK)
        chosen = parser.parse_args()
    return chosen


def main() -> None:
    """What is not asked for is not imported: an older version that this measures need not have it (compare.py)."""
    options = _options()
    if options.queries:
        from tests.bench import queries

        queries.run(options.bookings)
        return
    if options.domain:
        from tests.bench import domain

        figures: dict[str, object] = dict(domain.run(options.bookings, options.profile))
    else:
        from tests.bench import system

        figures = system.run(options)
    if options.keep:
        from tests.bench import history

        history.keep(figures)
    print(json.dumps(figures), flush=True)


if __name__ == "__main__":
    main()
