"""`make bench`, `make bench ARGS="--sagas 500 --seconds 5"`, `make bench ARGS=--domain`, `… --queries`."""

from __future__ import annotations

import argparse

from tests.bench import domain, queries, system


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
    parser.add_argument("--sagas", type=int, default=6000, help="sagas of the saturation run")
    parser.add_argument("--warm-up", type=int, default=500, help="sagas before it")
    parser.add_argument("--in-flight", type=int, default=500, help="sagas open at a time")
    parser.add_argument("--seconds", type=float, default=25.0, help="length of each run at a fixed rate")
    parser.add_argument("--hot-commands", type=int, default=5000)
    parser.add_argument("--hot-seats", type=int, default=100)
    return parser.parse_args()


if __name__ == "__main__":
    chosen = _options()
    if chosen.domain:
        domain.run(chosen.bookings, chosen.profile)
    elif chosen.queries:
        queries.run(chosen.bookings)
    else:
        system.run(chosen)
