"""How much, and which: `make hostile SEED=7 RECORDS=20000 KINDS=keys,times`.

Without RECORDS it is the short form, as in `make test`.
"""

from __future__ import annotations

import os
import random

SEED = int(os.environ.get("SEED", "1"))
RECORDS = int(os.environ.get("RECORDS", "600"))
LONG = RECORDS >= 5_000
CHOSEN = tuple(name for name in os.environ.get("KINDS", "").split(",") if name)
"""The kinds of kinds.py and acts.py to send; empty means all of them."""
PER_SECOND = float(os.environ.get("RATE", "100" if LONG else "40"))
"""Hostile records a second, beside ordinary commands; floods and lines come in bursts on top."""
ORDINARY_PER_SECOND = 20.0
P99_SECONDS = float(os.environ.get("P99", "5" if LONG else "20"))
"""What the slowest of a hundred ordinary commands may take; generous, because other programs share the machine.

The goal on an idle one is 0.25: `make hostile P99=0.25`.
"""
SETTLED_WITHIN_SECONDS = float(os.environ.get("SETTLED", "600" if LONG else "60"))


def rng(name: str) -> random.Random:
    """Random numbers of one part, the same for the same seed."""
    return random.Random(f"{SEED}:{name}")


def scaled(in_long_form: int, least: int) -> int:
    """A size of the long form (20,000 records), made smaller in proportion."""
    return max(least, in_long_form * min(RECORDS, 20_000) // 20_000)
