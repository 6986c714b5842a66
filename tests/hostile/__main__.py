"""`python -m tests.hostile [kind …]`: each kind by itself on one stack, a new one whenever a kind has broken it.

Says which kinds a build stands and which not; RECORDS (120 here unless given) and SETTLED as in settings.py.
"""

from __future__ import annotations

import asyncio
import os
import shutil
import sys
import tempfile
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from deploy.local import postgres
from deploy.local.stack import Stack
from tests.hostile import settings
from tests.hostile.acts import ACTS
from tests.hostile.checks import violations
from tests.hostile.kinds import KINDS
from tests.hostile.siege import ProcessEnded, Siege

RECORDS = int(os.environ.get("RECORDS", "120"))
LAST = ("peers", "planting")
"""They leave blocked keys behind, so that what follows on the same stack cannot be judged."""


def main(names: list[str]) -> int:
    """Prints a markdown row for each kind; returns how many were not stood."""
    waiting = names or [*(name for name in (*KINDS, *ACTS) if name not in LAST), *LAST]
    print("| kind | stood | what was seen |\n|---|---|---|", flush=True)
    failed = 0
    while waiting:
        with _stack() as stack:
            fit = True
            while waiting and fit:
                kind = waiting.pop(0)
                seen = asyncio.run(_verdict(stack, kind))
                fit = not seen and kind not in LAST
                failed += bool(seen)
                print(f"| {kind} | {'no' if seen else 'yes'} | {seen} |", flush=True)
    return failed


async def _verdict(stack: Stack, kind: str) -> str:
    try:
        found = await Siege(stack, (kind,)).run(RECORDS if kind in KINDS else 0, settings.PER_SECOND)
    except ProcessEnded as ended:
        return " ".join(str(ended).split())[-400:]
    wrong = violations(found)
    by_check = Counter(one.partition(":")[0] for one in wrong)
    counts = ", ".join(f"{name} {count}" for name, count in by_check.items())
    return f"{counts}: {wrong[0][-300:]}" if wrong else ""


@contextmanager
def _stack() -> Iterator[Stack]:
    root = Path(tempfile.mkdtemp(prefix="hostile-"))
    stack = Stack(root, replicas=2, fast=True)
    try:
        stack.up(progress=lambda _: None)
        yield stack
    finally:
        stack.down(progress=lambda _: None)
        postgres.remove(root)
        shutil.rmtree(root, ignore_errors=True)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
