"""The linter sees a planted violation, and models import nothing but values and the standard library."""

from __future__ import annotations

import ast
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
LINTER = Path(sys.executable).parent / "lint-imports"

VIOLATIONS = {
    "services/chassis/planted.py": "from services.booking import saga\n",
    "services/payments/planted.py": "import services.booking.work\n",
    "services/booking/model/planted.py": "import asyncpg\n",
    "services/newcomer/__init__.py": "",
    "services/chassis/planted_word.py": "import booking_contracts.booking\n",
    "contracts/booking_contracts/testkit/planted.py": "import deploy.local.stack\n",
}


def test_the_tree_keeps_the_rules() -> None:
    lint(ROOT, expected=0)


@pytest.mark.parametrize("path", VIOLATIONS)
def test_a_planted_violation_is_seen(tmp_path: Path, path: str) -> None:
    for package in ("services", "contracts"):
        shutil.copytree(ROOT / package, tmp_path / package, ignore=shutil.ignore_patterns("__pycache__"))
    shutil.copy(ROOT / "pyproject.toml", tmp_path)
    planted = tmp_path / path
    planted.parent.mkdir(exist_ok=True)
    planted.write_text(VIOLATIONS[path])
    lint(tmp_path, expected=1)


def lint(tree: Path, expected: int) -> None:
    found = subprocess.run(
        [LINTER, "--no-cache"],
        cwd=tree,
        capture_output=True,
        text=True,
        check=False,
        env={"PYTHONPATH": f"{tree}:{tree / 'contracts'}", "PATH": "/usr/bin:/bin"},
    )
    assert found.returncode == expected, found.stdout + found.stderr


@pytest.mark.parametrize("service", ["booking", "payments", "notifications"])
def test_models_import_values_and_the_standard_library_alone(service: str) -> None:
    for file in (ROOT / "services" / service / "model").rglob("*.py"):
        for module in imported(file):
            top = module.split(".")[0]
            ours = module.startswith((f"services.{service}.model", "booking_contracts"))
            assert ours or top in sys.stdlib_module_names, f"{file} imports {module}"
            assert top not in {"asyncio", "socket", "time", "random"}, f"{file} imports {module}"


def imported(file: Path) -> list[str]:
    found = []
    for node in ast.walk(ast.parse(file.read_text())):
        if isinstance(node, ast.Import):
            found += [name.name for name in node.names]
        elif isinstance(node, ast.ImportFrom) and node.module:
            found.append(node.module)
    return found
