"""How hard and how long: `SEED=7 FAULTS=long make faults`."""

from __future__ import annotations

import os
import random

LONG = os.environ.get("FAULTS") == "long"
BLOWS = int(os.environ.get("BLOWS", "100"))
"""So many blows of all kinds in the long form, a fifth of them in each round."""
PER_SECOND = float(os.environ.get("PER_SECOND", "40"))
"""Commands, over half of which place a booking."""
SEED = int(os.environ.get("SEED", "1"))


def rng(name: str) -> random.Random:
    """Random numbers of one test, the same for the same seed; the seed is printed with a failure."""
    print(f"SEED={SEED} ({name})")
    return random.Random(f"{SEED}:{name}")
