"""Blocking work: on many things at once, or strictly one caller after the other."""

import fcntl
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path
from typing import TypeVar

Item = TypeVar("Item")
Result = TypeVar("Result")


def concurrently(work: Callable[[Item], Result], items: Iterable[Item]) -> list[Result]:
    """Do the work for all items side by side; the first error is raised when all have ended."""
    chosen = list(items)
    with ThreadPoolExecutor(max_workers=max(len(chosen), 1)) as threads:
        return list(threads.map(work, chosen))


@contextmanager
def one_at_a_time(directory: Path) -> Iterator[None]:
    """Hold the directory's lock; other processes wait. Creates the directory."""
    directory.mkdir(parents=True, exist_ok=True)
    with (directory / "lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield
