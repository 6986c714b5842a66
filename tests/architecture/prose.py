"""What a file says to people: a page whole, of code its docstrings and comments."""

from __future__ import annotations

import ast
import json
import re
from collections.abc import Iterator
from pathlib import Path

COMMENTS = {
    ".py": re.compile(r"(?m)(?:^|  )[ \t]*#[ \t](.*)$"),
    ".sql": re.compile(r"(?m)(?:^|  )[ \t]*--[ \t]?(.*)$"),
}
OTHER_COMMENTS = re.compile(r"(?m)(?:^|\s)##?[ \t](.*)$")
SHOWN = ("description", "title", "summary")
"""What a schema says to its reader."""


def texts(path: Path) -> Iterator[str]:
    """What a file says, piece by piece."""
    source = path.read_text()
    if path.suffix == ".md":
        yield source
    elif path.suffix == ".json":
        yield from _shown(json.loads(source))
    else:
        yield "\n".join(COMMENTS.get(path.suffix, OTHER_COMMENTS).findall(source))
    if path.suffix == ".py" and '"""' in source:
        yield from (re.sub(r"[ \t]*\n[ \t]*", "\n", text) for text in _docstrings(ast.parse(source)))


def _docstrings(node: ast.AST) -> Iterator[str]:
    """Strings that are statements: of modules, classes, functions and names."""
    for field in ("body", "orelse", "finalbody", "handlers"):
        for statement in getattr(node, field, ()):
            if isinstance(statement, ast.Expr) and isinstance(statement.value, ast.Constant):
                if isinstance(statement.value.value, str):
                    yield statement.value.value
            else:
                yield from _docstrings(statement)


def _shown(found: object) -> Iterator[str]:
    if isinstance(found, dict):
        for name, value in found.items():
            if name in SHOWN and isinstance(value, str):
                yield value
            else:
                yield from _shown(value)
    elif isinstance(found, list):
        for value in found:
            yield from _shown(value)
