"""`python -m booking_contracts.schema.page [DIRECTORY]`: all that others may use, as one page to read in a browser.

Written of the same documents as generated/: AsyncAPI (topics, messages, headers), OpenAPI (paths), codes. The page is
whole in itself: no script, nothing from the network. Needs Jinja2, as development does.
"""

from __future__ import annotations

import json
import re
import sys
from collections.abc import Sequence
from importlib.metadata import version
from pathlib import Path
from typing import Any

from jinja2 import Environment, FileSystemLoader, StrictUndefined
from markupsafe import Markup, escape

from booking_contracts.codes import Code
from booking_contracts.http import SERVICES
from booking_contracts.problems import ProblemKind
from booking_contracts.schema.asyncapi import document
from booking_contracts.schema.codes_page import anchor, explained
from booking_contracts.schema.fields import Line, lines, shape
from booking_contracts.schema.json_schema import Schema, all_schemas
from booking_contracts.schema.openapi import SCHEMAS, openapi

DIRECTORY = Path("build/docs")
DAY_MS = 24 * 60 * 60 * 1000


def page() -> str:
    """The HTML."""
    release = version("booking-contracts")
    asyncapi: Any = document(release)
    texts = Environment(
        loader=FileSystemLoader(Path(__file__).parent),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    texts.filters |= {"marked": _marked, "anchor": anchor, "days": lambda ms: round(ms / DAY_MS, 1)}
    texts.filters |= {"lines": _lines, "shape": _shape}
    return texts.get_template("page.html.j2").render(
        asyncapi=asyncapi,
        kinds=("command", "reply", "event"),
        parties=_parties(asyncapi),
        schemas=all_schemas(),
        services={service: _service(openapi(service, release)) for service in SERVICES},
        codes=explained(Code),
        problems=explained(ProblemKind),
    )


def _lines(schema: Schema) -> list[Line]:
    return list(lines(schema, schema))


def _shape(schema: Schema) -> str:
    return shape(schema, schema)


def _parties(asyncapi: Any) -> dict[str, dict[str, list[str]]]:
    """Topic → who sends and who receives."""
    found: dict[str, dict[str, list[str]]] = {name: {"send": [], "receive": []} for name in asyncapi["channels"]}
    for operation in asyncapi["operations"].values():
        topic = operation["channel"]["$ref"].rpartition("/")[2]
        found[topic][operation["action"]].append(operation["tags"][0]["name"])
    return found


def _service(openapi: Schema) -> list[dict[str, Any]]:
    """The operations, each with its method and path; references lead into `$defs`, as fields.py looks them up."""
    plain: Any = json.loads(json.dumps(openapi).replace(f'"{SCHEMAS}', '"#/$defs/'))
    definitions, responses = plain["components"]["schemas"], plain["components"]["responses"]

    def shown(method: str, path: str, one: dict[str, Any]) -> dict[str, Any]:
        ((media, body),) = one["responses"]["200"]["content"].items()
        refused = [of["$ref"].rpartition("/")[2] for status, of in one["responses"].items() if status != "200"]
        problems = [responses[name]["content"]["application/problem+json"]["example"] for name in refused]
        answer = {**body["schema"], "$defs": definitions} if "schema" in body else None
        return {**one, "method": method.upper(), "path": path, "media": media, "answer": answer, "problems": problems}

    return [shown(method, path, one) for path, methods in plain["paths"].items() for method, one in methods.items()]


def _marked(text: str) -> Markup:
    """Backticks and bold, as docstrings have them."""
    safe = re.sub(r"`([^`]+)`", r"<code>\1</code>", str(escape(text)))
    return Markup(re.sub(r"\*\*([^*]+)\*\*", r"<b>\1</b>", safe))


def main(arguments: Sequence[str] | None = None) -> int:
    """Writes the page into DIRECTORY, one in build/ where none is named."""
    given = sys.argv[1:] if arguments is None else arguments
    directory = Path(given[0]) if given else DIRECTORY
    directory.mkdir(parents=True, exist_ok=True)
    (directory / "index.html").write_text(page(), encoding="utf-8")
    sys.stdout.write(f"{directory / 'index.html'}\n")
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
