"""`python -m booking_contracts.schema.generate [--check]`: write the JSON Schemas, AsyncAPI, OpenAPI and codes.md.

They are written to `booking_contracts/generated/` and committed; `--check` changes nothing and fails where what is
there differs from what the messages and paths say (requirement contracts). Needs PyYAML, as development does.
"""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Mapping, Sequence
from functools import cache
from importlib.metadata import version
from pathlib import Path

import yaml

from booking_contracts.http import SERVICES
from booking_contracts.schema.asyncapi import document
from booking_contracts.schema.codes_page import codes_page
from booking_contracts.schema.json_schema import Schema, all_schemas
from booking_contracts.schema.openapi import openapi

GENERATED = Path(__file__).parents[1] / "generated"
_HEADER = "# Written by `make contracts` from the message definitions; never edited by hand.\n"


class _Dumper(yaml.SafeDumper):
    """Texts of several lines stand as they are."""


def _text(dumper: yaml.SafeDumper, text: str) -> yaml.ScalarNode:
    return dumper.represent_scalar("tag:yaml.org,2002:str", text, style="|" if "\n" in text else None)


_Dumper.add_representer(str, _text)


@cache
def rendered() -> Mapping[str, str]:
    """Path below `generated/` → text of every generated file; the same messages give the same bytes, once a process."""
    release = version("booking-contracts")
    files = {f"schemas/{name}.json": _json(schema) for name, schema in all_schemas().items()}
    files |= {f"openapi/{service}.json": _json(openapi(service, release)) for service in SERVICES}
    # Through JSON: equal parts become separate objects, which YAML then writes out instead of naming as anchors.
    plain = json.loads(json.dumps(document(release)))
    text = yaml.dump(plain, Dumper=_Dumper, sort_keys=False, allow_unicode=True, width=110)
    return {"asyncapi.yaml": _HEADER + text, "codes.md": codes_page(), **files}


def _json(document: Schema) -> str:
    return json.dumps(document, indent=2, ensure_ascii=False) + "\n"


def differing(directory: Path = GENERATED) -> list[str]:
    """Files in `directory` that are missing, left over, or not what the messages say."""
    wanted = rendered()
    found = {path.relative_to(directory).as_posix() for path in directory.rglob("*.*") if path.is_file()}
    stale = found - wanted.keys()
    changed = {
        name
        for name, text in wanted.items()
        if name not in found or (directory / name).read_text(encoding="utf-8") != text
    }
    return sorted(stale | changed)


def write(directory: Path = GENERATED) -> list[str]:
    """Make `directory` what the messages say. Returns the files that were written or removed."""
    wanted, changed = rendered(), differing(directory)
    for name in changed:
        path = directory / name
        if name in wanted:
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(wanted[name], encoding="utf-8")
        else:
            path.unlink()
    return changed


def main(arguments: Sequence[str] | None = None, directory: Path = GENERATED) -> int:
    """Returns 1 when `--check` finds a difference, otherwise 0."""
    parser = argparse.ArgumentParser(
        prog="python -m booking_contracts.schema.generate", description="Generate the documents."
    )
    parser.add_argument("--check", action="store_true", help="change nothing; fail where something differs")
    check: bool = parser.parse_args(arguments).check
    changed = differing(directory) if check else write(directory)
    if check and changed:
        sys.stderr.write(
            f"Generated documents differ from the messages: {', '.join(changed)}. Run `make contracts` and commit.\n"
        )
        return 1
    sys.stdout.write(
        f"{len(changed)} file(s) written or removed\n" if changed else "Generated documents are up to date\n"
    )
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
