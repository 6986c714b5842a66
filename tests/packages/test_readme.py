"""What the README says to type works as it stands: in a clone, by somebody who has nothing of ours installed."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from deploy.local.layout import Layout, replica_names
from deploy.packages.build import ROOT, tracked
from tests.packages.doors import DOORS, Block, doors, needs_engine
from tests.packages.elsewhere import Elsewhere, elsewhere, ran

PAGE = (ROOT / "README.md").read_text()
FIRST_SCREEN = 60
"""Lines."""
LONG_AGO = 0


@pytest.fixture(scope="module")
def clone(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """A clone of what lies here, whose `make setup` is done: it has this run's environment.

    Files that are older than that environment do not have it made anew. Its ports are of this process's share.
    """
    if not (Path(sys.prefix) / ".prepared").exists():
        pytest.skip("this environment is not that of `make setup`")
    folder = tmp_path_factory.mktemp("readme") / "booking"
    subprocess.run(["git", "clone", "--quiet", "--shared", str(ROOT), str(folder)], check=True)
    for path in tracked():
        copy = folder / path
        copy.parent.mkdir(parents=True, exist_ok=True)
        shutil.copy(ROOT / path, copy)
        os.utime(copy, (LONG_AGO, LONG_AGO))
    subprocess.run(["git", "add", "--all"], cwd=folder, check=True)
    (folder / ".venv").symlink_to(sys.prefix)
    layout = Layout.load(folder / ".local")
    layout.replicas = replica_names(1)
    layout.choose_ports(keep=False)
    layout.save()
    yield folder
    subprocess.run(["make", "clean"], cwd=folder, env=outside(folder).env, check=True, capture_output=True)


def outside(clone: Path) -> Elsewhere:
    """The reader's Python, made at the first call."""
    home = clone.parent / "python"
    return Elsewhere(home, clone / "dist") if home.exists() else elsewhere(home, clone / "dist")


def follow(block: Block, clone: Path) -> None:
    """Do what the block says: `make` in the clone, the rest in the reader's own folder beside it.

    What needs an engine is typed by tests/containers/test_readme.py.
    """
    own = clone.parent / "own"
    own.mkdir(exist_ok=True)
    if block.language == "python":
        (own / block.file).write_text(block.text)
    for command in block.commands:
        if not needs_engine(command):
            ran(["bash", "-ec", command], clone if command.startswith("make ") else own, outside(clone).env)


@pytest.mark.requirement("first-steps")
def test_the_doors_are_on_the_first_screen_and_each_says_what_to_type() -> None:
    found = doors("\n".join(PAGE.splitlines()[:FIRST_SCREEN]))

    assert tuple(found)[: len(DOORS)] == DOORS
    assert all(any(block.commands for block in found[door]) for door in DOORS)


@pytest.mark.requirement("first-steps")
@pytest.mark.parametrize("door", DOORS)
def test_a_door_opens(door: str, clone: Path) -> None:
    for block in doors(PAGE)[door]:
        follow(block, clone)


@pytest.mark.requirement("first-steps")
def test_a_command_that_fails_is_seen(tmp_path: Path) -> None:
    (block,) = doors("## A\n```sh\ntrue\n\nfalse   # and why\n```\n## B\n")["A"]

    assert block.commands == ["true", "false   # and why"]
    with pytest.raises(AssertionError, match="false"):
        ran(["bash", "-ec", block.commands[1]], tmp_path, {**os.environ})
