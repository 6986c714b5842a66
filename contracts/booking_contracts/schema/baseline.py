"""Schemas and OpenAPI documents as they were published: from a directory, or a git revision beside the work tree."""

from __future__ import annotations

import io
import json
import subprocess
import tarfile
from pathlib import Path

from booking_contracts.schema.json_schema import Schema

_PACKAGE = Path(__file__).parents[1]
MESSAGES, PATHS = "generated/schemas", "generated/openapi"
"""Where either stands in the package."""


class NoSuchVersion(Exception):
    """There is nothing under the name that was given; the message says what to give instead."""


def published(
    against: str | None = None, package: Path = _PACKAGE, of: str = MESSAGES
) -> tuple[str, dict[str, Schema]]:
    """(what was compared with, `ce_type` → schema, or of PATHS service → document).

    `against` is a git revision, or a directory: of schemas, or one like generated/ which has `openapi/` too.

    Without it: the last tag, else HEAD, else nothing, as in a repository without a commit. Raises NoSuchVersion where
    `against` names neither a directory nor a revision, and where this package does not lie in a git repository.
    """
    if against is not None and Path(against).is_dir():
        return against, {path.stem: json.loads(path.read_text(encoding="utf-8")) for path in _json(Path(against), of)}
    if _git(package, "rev-parse", "--git-dir") is None:
        raise NoSuchVersion("This package is not in a git repository: name a directory of schemas, --against DIR.")
    revision = against or _last_tag(package) or "HEAD"
    if _git(package, "rev-parse", "--verify", "--quiet", f"{revision}^{{commit}}") is None:
        if against is not None:
            raise NoSuchVersion(
                f"{against} is neither a directory nor a git revision: fetch it first, or name another."
            )
        return "an empty history", {}
    return revision, _at(package, revision, of)


def _json(directory: Path, of: str) -> list[Path]:
    return sorted(directory.rglob("*.v*.json" if of == MESSAGES else "openapi/*.json"))


def _last_tag(package: Path) -> str | None:
    found = _git(package, "describe", "--tags", "--abbrev=0")
    return found.decode().strip() if found else None


def _at(package: Path, revision: str, of: str) -> dict[str, Schema]:
    # From inside the package, so that the paths in the archive are relative to it.
    archive = _git(package, "archive", "--format=tar", revision, "--", of)
    if archive is None:
        return {}
    found: dict[str, Schema] = {}
    with tarfile.open(fileobj=io.BytesIO(archive)) as tar:
        for member in tar.getmembers():
            content = tar.extractfile(member)
            if content is not None:
                found[Path(member.name).stem] = json.load(content)
    return dict(sorted(found.items()))


def _git(package: Path, *arguments: str) -> bytes | None:
    """The output, or None where git answers that there is no such thing."""
    done = subprocess.run(["git", "-C", str(package), *arguments], capture_output=True, check=False)
    return done.stdout if done.returncode == 0 else None
