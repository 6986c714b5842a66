"""What runs inside of a cluster ends, or the test that waits for it does; without a cluster."""

from __future__ import annotations

import os
import time
from collections.abc import Mapping, Sequence
from pathlib import Path

import pytest

from deploy.cluster.cluster import Cluster
from deploy.cluster.problems import Failed

pytestmark = pytest.mark.requirement("cluster")
STANDS_STILL = ("sh", "-c", "echo so far; echo so good >&2; exec sleep 60")


class Here(Cluster):
    """A cluster whose inside is this machine."""

    def _inside(self, command: Sequence[str]) -> list[str]:
        return list(command)

    def _environment(self, more: Mapping[str, str] | None) -> dict[str, str]:
        return {**os.environ, **(more or {})}


def test_a_program_that_stands_still_is_killed_and_what_it_said_is_told(tmp_path: Path) -> None:
    began = time.monotonic()
    with pytest.raises(Failed, match=r"sleep 60 took more than 0\.3 s:\nso far\nso good"):
        Here(tmp_path).run_inside(*STANDS_STILL, seconds=0.3)
    assert time.monotonic() - began < 30


def test_what_ends_in_time_is_told_as_it_was(tmp_path: Path) -> None:
    assert Here(tmp_path).run_inside("sh", "-c", "cat; echo $X", input="in ", env={"X": "and out"}) == "in and out\n"
    with pytest.raises(Failed, match="ended with 3:\nno"):
        Here(tmp_path).run_inside("sh", "-c", "echo no >&2; exit 3")
