"""The previous release, out of git's history, and a stack in which it runs beside this build."""

from __future__ import annotations

import io
import subprocess
import tarfile
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from deploy.local.environment import python_module
from deploy.local.layout import REPOSITORY
from deploy.local.processes import Process
from deploy.local.stack import Stack

FIRST_RELEASE = "a1fae48"
"""Counts as the previous release while no commit before this one has a tag: the first build that names its columns.
The ones before it stop at a column that is added (docs/engine.md, Deploys)."""


def previous_release() -> str:
    """The newest tag before this commit, else FIRST_RELEASE. Skips in a shallow clone, fails where git lacks it."""
    if not (REPOSITORY / ".git").exists():
        pytest.fail("this is no clone: the previous release is taken from git's history; run this test in a clone")
    release = _git("describe", "--tags", "--abbrev=0", "HEAD^").stdout.decode().strip() or FIRST_RELEASE
    if _git("cat-file", "-e", f"{release}^{{commit}}").returncode == 0:
        return release
    if _git("rev-parse", "--is-shallow-repository").stdout.strip() == b"true":
        pytest.skip(f"a shallow clone without {release}: `git fetch --unshallow --tags` brings it")
    pytest.fail(f"{release} is not in this clone: fetch it, or name another previous release in {Path(__file__).name}")


def check_out(release: str, folder: Path) -> None:
    """Write the sources of a release into a folder."""
    done = _git("archive", "--format=tar", release, "contracts", "deploy", "services")
    assert done.returncode == 0, done.stderr.decode()
    with tarfile.open(fileobj=io.BytesIO(done.stdout)) as sources:
        sources.extractall(folder, filter="data")


class BothBuilds(Stack):
    """A stack some of whose replicas run the sources in `folder`; migrations and all else are this build's."""

    def __init__(self, root: Path, folder: Path, names: set[str], **options: Any) -> None:
        super().__init__(root, **options)
        self.folder, self.of_previous = folder, names

    def _process(self, name: str) -> Process:
        process = super()._process(name)
        if name not in self.of_previous:
            return process
        sources = {"PYTHONPATH": f"{self.folder}:{self.folder / 'contracts'}"}
        return replace(
            process,
            command=python_module("deploy.local.service", name.rpartition("-")[0]),
            environment={**process.environment, **sources},
            directory=self.folder,
        )


def _git(*arguments: str) -> subprocess.CompletedProcess[bytes]:
    command = ["git", "-c", "safe.directory=*", "-C", str(REPOSITORY), *arguments]
    return subprocess.run(command, capture_output=True, check=False)
