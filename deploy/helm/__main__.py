"""`python -m deploy.helm [--check]`: writes what is made of values and contracts, or says what is old."""

from __future__ import annotations

import json
import re
import sys
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

import yaml

from deploy.helm import contracts
from deploy.helm.annotated import Value, read
from deploy.helm.schema import schema
from deploy.helm.tools import CHART, REPOSITORY

TABLE = re.compile(r"(<!-- values -->\n).*?(<!-- end of values -->)", re.DOTALL)


def made(chart: Path = CHART) -> Mapping[Path, str]:
    """Every file that is made, with its text."""
    values = read((chart / "values.yaml").read_text(encoding="utf-8"))
    removed = yaml.safe_load((chart / "files" / "removed.yaml").read_text(encoding="utf-8")) or {}
    page = (chart / "README.md").read_text(encoding="utf-8")
    lines = "\n".join(_rows(values))
    return {
        chart / "values.schema.json": _json(schema(values, list(removed))),
        chart / "files" / "contracts.json": _json(contracts.facts()),
        chart / "README.md": TABLE.sub(lambda found: f"{found[1]}{lines}\n{found[2]}", page),
    }


def _rows(values: Sequence[Value]) -> Iterable[str]:
    """A Markdown table; groups beside each other that are alike have their rows once, as `<name>`."""
    leaves = [leaf for group in values for leaf in group.leaves()]
    alike = {leaf.same_as: leaf for leaf in leaves if leaf.same_as and _beside(leaf.path) == _beside(leaf.same_as)}
    yield "| value | default | meaning |"
    yield "|---|---|---|"
    for value in leaves:
        if value.same_as in alike and _beside(value.path) == _beside(value.same_as or ""):
            continue
        default = "" if value.same_as else f"`{json.dumps(value.default)}`"
        row = f"| `{value.path}` | {default} | {value.text} |"
        for group in alike:
            row = row.replace(f"`{group}.", f"`{_beside(group)}.<name>.")
        yield row


def _beside(path: str) -> str:
    return path.rpartition(".")[0]


def _json(document: Any) -> str:
    return json.dumps(document, indent=2) + "\n"


def main(check: bool) -> int:
    """1 where something is not as it would be made, with --check."""
    old = {path: text for path, text in made().items() if not path.exists() or path.read_text(encoding="utf-8") != text}
    for path, text in old.items():
        if check:
            sys.stderr.write(f"{path.relative_to(REPOSITORY)} is old: run `python -m deploy.helm`\n")
        else:
            path.write_text(text, encoding="utf-8")
    return int(check and bool(old))


if __name__ == "__main__":
    raise SystemExit(main(check="--check" in sys.argv[1:]))
