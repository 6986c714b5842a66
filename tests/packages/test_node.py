"""Which Node builds the example in TypeScript."""

from __future__ import annotations

from pathlib import Path

import pytest

from deploy.packages import node
from deploy.packages.build import ROOT

pytestmark = pytest.mark.requirement("packages")


def machine(folder: Path, version: str, *programs: str) -> dict[str, str]:
    """The environment of one that has these programs; its node is of that version."""
    for name in programs:
        program = folder / name
        program.write_text(f"#!/bin/sh\necho {version}\n")
        program.chmod(0o755)
    return {"PATH": str(folder)}


@pytest.mark.parametrize("version", ["v20.0.0", "v24.19.0"])
def test_that_of_the_machine_where_it_is_new_enough(version: str, tmp_path: Path) -> None:
    assert node.oldest() == 20
    assert node.of_this_machine(machine(tmp_path, version, "node", "npm")) == tmp_path


@pytest.mark.parametrize(
    ("version", "programs"), [("v18.20.4", ("node", "npm")), ("v20.0.0", ("node",)), ("v20.0.0", ()), ("no", ("node",))]
)
def test_else_another(version: str, programs: tuple[str, ...], tmp_path: Path) -> None:
    assert node.of_this_machine(machine(tmp_path, version, *programs)) is None


@pytest.mark.parametrize("folder", ["examples/kafkajs", "examples/webhooks", "tests/console/browser"])
def test_no_lock_has_an_address_of_a_registry(folder: str) -> None:
    assert "resolved" not in (ROOT / folder / "package-lock.json").read_text()
