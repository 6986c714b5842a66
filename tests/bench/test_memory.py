"""A pod's memory is that of all its processes."""

from __future__ import annotations

import subprocess
import sys

from tests.bench.memory import family

HAS_A_CHILD = """
import subprocess, sys
child = subprocess.Popen([sys.executable, "-c", "input()"], stdin=subprocess.PIPE)
print(child.pid, flush=True)
input()
"""


def test_children_count() -> None:
    parent = subprocess.Popen([sys.executable, "-c", HAS_A_CHILD], stdin=subprocess.PIPE, stdout=subprocess.PIPE)
    assert parent.stdout is not None
    child = int(parent.stdout.readline())
    assert family(parent.pid) == [parent.pid, child]
    parent.communicate(b"\n")
