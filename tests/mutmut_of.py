"""`python -m tests.mutmut_of SERVICE run …`: mutmut with one service's rules and tests (tests/mutants.py).

Its settings in pyproject.toml can name one selection of tests; with those of all services every run would take as long
as all of them.
"""

from __future__ import annotations

import sys

from mutmut.__main__ import cli
from mutmut.configuration import config

ARGUMENTS = ["--hypothesis-seed=0", "--hypothesis-profile=ci", "-p", "no:cacheprovider"]
"""Hypothesis' own profile for busy machines: a mutant is not to be killed by a deadline."""


def selection(service: str) -> list[str]:
    """The tests that are to notice."""
    return [f"tests/{service}", "-m", "not database"]


def main() -> None:
    """mutmut's own command line, after the service."""
    service, *command = sys.argv[1:]
    chosen = config()
    chosen.only_mutate = [f"services/{service}/model/*.py"]
    chosen.pytest_add_cli_args = ARGUMENTS
    chosen.pytest_add_cli_args_test_selection = selection(service)
    cli(command)


if __name__ == "__main__":
    main()
