"""What is built is the same twice, is whole, says what it is, and works without the sources beside it."""

from __future__ import annotations

import re
import tomllib
from email import message_from_bytes
from email.message import Message
from importlib.metadata import version
from pathlib import Path
from zipfile import ZipFile

import pytest

from deploy.packages.build import PROJECTS, ROOT, build, tracked
from tests.packages.elsewhere import Elsewhere

PACKAGES = {
    "booking-contracts": ("contracts/booking_contracts/", "booking_contracts/"),
    "stripe-simulator": ("stripe_simulator/", "stripe_simulator/"),
    "booking-services": ("services/", "services/"),
}
"""Distribution → its folder in the repository, and in the wheel."""
ABOUT = {"README.md", "pyproject.toml"}
"""Files beside the code that are for those who read the repository."""
EVERY_MODULE = """
import importlib, pkgutil, sys
for name in sys.argv[1:]:
    package = importlib.import_module(name)
    assert package.__file__.startswith(sys.prefix), package.__file__
    for found in pkgutil.walk_packages(package.__path__, f"{name}."):
        if not found.name.endswith("__main__"):
            importlib.import_module(found.name)
"""


def wheel(wheels: Path, distribution: str) -> ZipFile:
    (path,) = wheels.glob(f"{distribution.replace('-', '_')}-*.whl")
    return ZipFile(path)


def metadata(archive: ZipFile) -> Message:
    (name,) = [name for name in archive.namelist() if name.endswith(".dist-info/METADATA")]
    return message_from_bytes(archive.read(name))


@pytest.mark.requirement("packages")
def test_a_second_build_gives_the_same_bytes(wheels: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """In another folder and zone, and later: each archive is made a whole build after its twin."""
    monkeypatch.setenv("TZ", "Pacific/Auckland")

    again = {path.name: path.read_bytes() for path in build(tmp_path / "again")}

    assert len(again) == 2 * len(PROJECTS)
    assert [name for name, content in sorted(again.items()) if (wheels / name).read_bytes() != content] == []


@pytest.mark.requirement("packages")
def test_it_is_built_with_what_is_locked() -> None:
    """The environment's setuptools is that of requirements/build.txt, with which images are built."""
    locked = re.findall(r"^(\S+)==(\S+) ", (ROOT / "requirements" / "build.txt").read_text(), re.MULTILINE)
    assert locked == [("setuptools", version("setuptools"))]
    for project in PROJECTS:
        settings = tomllib.loads((ROOT / project / "pyproject.toml").read_text())
        assert [name.partition(">")[0] for name in settings["build-system"]["requires"]] == ["setuptools"]


@pytest.mark.requirement("packages")
@pytest.mark.parametrize("distribution", PACKAGES)
def test_a_wheel_has_every_file_of_its_packages(wheels: Path, distribution: str) -> None:
    """Code, schemas, migrations, templates, languages, and py.typed."""
    below, inside = PACKAGES[distribution]
    files = {path.removeprefix(below) for path in tracked() if path.startswith(below)}
    wanted = {name for name in files if Path(name).name not in ABOUT}

    packed = {name.removeprefix(inside) for name in wheel(wheels, distribution).namelist() if name.startswith(inside)}

    assert wanted - packed == set()
    assert packed - files == set()
    assert "py.typed" in packed


@pytest.mark.requirement("packages")
@pytest.mark.parametrize("distribution", PACKAGES)
def test_a_wheel_says_what_it_is(wheels: Path, distribution: str) -> None:
    about = metadata(wheel(wheels, distribution))

    assert about["Name"] == distribution
    assert about["Summary"]
    assert about["Requires-Python"] == ">=3.11"
    assert about["Description-Content-Type"] == "text/markdown"
    assert str(about.get_payload()).startswith("# ")
    assert about["License-Expression"] == "LicenseRef-Proprietary"
    assert {"Typing :: Typed", "Private :: Do Not Upload"} <= set(about.get_all("Classifier", []))


@pytest.mark.requirement("packages")
def test_every_module_is_imported_from_the_wheels(python: Elsewhere, tmp_path: Path) -> None:
    python.install("booking-services", "stripe-simulator", "booking-contracts[addresses,client,faststream,testkit]")

    python.run("-c", EVERY_MODULE, "booking_contracts", "services", "stripe_simulator", cwd=tmp_path)


@pytest.mark.requirement("packages")
def test_programs_run_from_the_wheels(python: Elsewhere, tmp_path: Path) -> None:
    python.install("booking-services", "stripe-simulator")

    assert "dead-letters" in python.run(str(python.home / "bin" / "bookingctl"), "--help", cwd=tmp_path)
    assert "--webhook-url" in python.run("-m", "stripe_simulator", "--help", cwd=tmp_path)
