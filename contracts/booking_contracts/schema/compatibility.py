"""`python -m booking_contracts.schema.compatibility [--against DIR|GIT] [--retire TYPE]`: refuse a breaking change.

Compares the messages as they are now with the schemas of the last git tag; without a tag, with those committed at
HEAD; without either, everything is new and passes. CI of a branch names what it branched from: `--against origin/main`.

The rule (contract.md, Evolution: services deploy before clients) is one question asked in two directions:

- A *command* is sent by clients that know the old version and read by a service that knows the new one. The new schema
  must accept all that the old one allowed: no message or field removed, none newly required, no type changed, no enum
  value, bound or pattern tightened, no default changed (that changes what an old command means). A new optional field
  is fine, and so is accepting more.
- A *reply* or *event* is sent by the new service and read by consumers that know the old version. The old schema must
  accept all that the new one allows, unknown fields ignored: no message or field removed, none newly null or left out,
  no type changed, no bound widened. **Widening an enum is refused as well**, rejection codes included: a consumer
  matches on these words, and the models of this package refuse a word they do not know. A new field is fine if it has
  a default, because a new consumer also reads records that were written before it existed.
- Both: the topics a message travels on may grow and not shrink; its key and kind stay.
- A *path* over HTTP is asked for like a command and answered like an event (schema/http_compatibility.py).

What breaks this becomes a new type, `.v2`, or a new path beside the old one. After 90 days the old one goes with
`--retire <type>`, `--retire "<service> get <path>"`.
Rules that JSON Schema does not express (instants in UTC, currency codes, `to` after `from`) are not compared.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from booking_contracts.registry import Kind
from booking_contracts.schema.accepts import Gap, Schema, gaps
from booking_contracts.schema.baseline import PATHS, NoSuchVersion, published
from booking_contracts.schema.http_compatibility import all_documents, path_gaps
from booking_contracts.schema.json_schema import all_schemas
from booking_contracts.schema.walk import changed_defaults, paired_fields

_OF_A_PATH = "Leave it as it was and add another path or name beside it, /v2/…; --retire this one after 90 days."


@dataclass(frozen=True, slots=True)
class Incompatible:
    """One thing that would break those who use the message now."""

    message: str
    path: str
    problem: str
    what_to_do: str

    def __str__(self) -> str:
        return f"{self.message}  {self.path}: {self.problem}\n    {self.what_to_do}"


def incompatibilities(
    old: Mapping[str, Schema], new: Mapping[str, Schema], retired: Sequence[str] = ()
) -> list[Incompatible]:
    """Every breaking difference between two sets of schemas (`ce_type` → schema), in the order of the types."""
    found: list[Incompatible] = []
    for name in sorted(old.keys() - set(retired)):
        problems = _changes(old[name], new[name]) if name in new else [Gap("$", _removed(old[name]))]
        found += [Incompatible(name, gap.path, gap.problem, _what_to_do(name, gap)) for gap in problems]
    return found


def next_version(name: str) -> str:
    """`booking.PlaceBooking.v1` → `booking.PlaceBooking.v2`."""
    stem, _, version = name.rpartition(".v")
    return f"{stem}.v{int(version) + 1}"


def _what_to_do(name: str, gap: Gap) -> str:
    if gap.path == "$" and "removed" in gap.problem:
        return f"Keep it for 90 days after its successor {next_version(name)}, then remove it with --retire {name}."
    return f"Leave {name} as it was and add {next_version(name)} beside it; both are accepted for 90 days."


def _removed(old: Schema) -> str:
    return "removed, but clients send it" if _is_command(old) else "removed, but consumers wait for it"


def _is_command(schema: Schema) -> bool:
    return schema["x-kind"] == Kind.COMMAND.value


def _changes(old: Schema, new: Schema) -> list[Gap]:
    found = _travel(old, new)
    if _is_command(old):
        return [*found, *gaps(reader=new, writer=old), *changed_defaults(old, new)]
    return [*found, *gaps(reader=old, writer=new), *_new_without_default(old, new)]


def _travel(old: Schema, new: Schema) -> list[Gap]:
    found = [
        Gap("$", f"{keyword[2:]} was {old.get(keyword)}, now {new.get(keyword)}")
        for keyword in ("x-kind", "x-key")
        if old.get(keyword) != new.get(keyword)
    ]
    before, after = old["x-topics"], new["x-topics"]
    assert isinstance(before, list)
    assert isinstance(after, list)
    found += [Gap("$", f"no longer travels on {topic}") for topic in before if topic not in after]
    return found


def _new_without_default(old: Schema, new: Schema) -> list[Gap]:
    """New fields of an event that records written before do not have."""
    return [
        Gap(field.path, "is new and has no default, but records written before do not have it")
        for field in paired_fields(old, new)
        if field.old is None and field.new is not None and "default" not in field.new
    ]


def path_incompatibilities(
    old: Mapping[str, Schema], new: Mapping[str, Schema], retired: Sequence[str] = ()
) -> list[Incompatible]:
    """The same of two sets of OpenAPI documents (service → document)."""
    return [Incompatible(name, gap.path, gap.problem, _OF_A_PATH) for name, gap in path_gaps(old, new, retired)]


def main(
    arguments: Sequence[str] | None = None,
    new: Mapping[str, Schema] | None = None,
    new_paths: Mapping[str, Schema] | None = None,
) -> int:
    """Returns 1 when something incompatible is found, 2 when there is nothing to compare with as asked."""
    parser = argparse.ArgumentParser(
        prog="python -m booking_contracts.schema.compatibility",
        description="Refuse incompatible changes of messages and paths.",
    )
    parser.add_argument("--against", metavar="DIR|GIT_REVISION", help="default: the last tag, else HEAD")
    parser.add_argument("--retire", metavar="NAME", action="append", default=[], help="of what ends on purpose")
    options = parser.parse_args(arguments)
    try:
        name, old = published(options.against)
        _, old_paths = published(options.against, of=PATHS)
    except NoSuchVersion as error:
        sys.stderr.write(f"{error}\n")
        return 2
    found = incompatibilities(old, new if new is not None else all_schemas(), options.retire)
    found += path_incompatibilities(old_paths, new_paths if new_paths is not None else all_documents(), options.retire)
    for problem in found:
        sys.stderr.write(f"{problem}\n")
    if found:
        sys.stderr.write(f"{len(found)} incompatible change(s) against {name}.\n")
        return 1
    sys.stdout.write(f"{len(old)} published message(s) and {len(old_paths)} service(s) of {name} stay compatible.\n")
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
