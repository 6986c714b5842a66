"""Finds what docstrings, comments and pages cite: pages with their headings, paths, modules, requirement ids.

Read as a citation:
- a page, and after a comma and a capital letter one of its headings; a number after it is an item of its list; a link
  to a part of a page;
- a name that ends like a file, a folder with a slash behind it, a path that begins with a folder of the repository;
- in backticks, a name after a file and a colon; a dotted module of ours, with or without a name in it;
- requirement ids after the word.

A file of Python that a page shows whole, its name in the first line after `# `, is there: the reader makes it.

A name without a folder is looked for in the room of who cites it: its service, contracts, the simulator. A page above
all rooms may name any file, and everybody what all services have. A path with a folder counts when that of a file or
folder ends with it.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path, PurePosixPath

from tests.architecture.prose import texts

ENDS = "py|md|sql|sh|toml|txt|ya?ml|json|html"
FILE = re.compile(rf"(?<![\w./:~<>*{{}}$…\\-])(?:\.\.?/)*([\w][\w.-]*/)*[\w][\w.-]*\.(?:{ENDS})(?![\w/(-]|\.\w)")
FOLDER = re.compile(r"(?<![\w./:~<>*{}$…\\-])((?:[\w.-]+/)+)(?=[\s`,;:.)\]]|$)")
INSIDE = re.compile(r"(?<![\w./:~<>*{}$…\\=?-])[\w-]+(?:/[\w-]+)+(?![\w/*{<=-]|\.\w)")
SHOWN_WHOLE = re.compile(r"(?m)^```python\n# (\S+\.py)$")
HEADING = re.compile(r",\s+([A-Z].*)", re.DOTALL)
NAME = re.compile(r": ([A-Za-z_]\w*)`")
MODULE = re.compile(r"(?<![\w./-])(?:services|deploy|tests|stripe_simulator|booking_contracts)(?:\.\w+)+(?![\w/-])")
IDS = re.compile(
    r"\b[Rr]equirement(s?)\s+`?([a-z]+(?:-[a-z]+)*)`?((?:(?:,|\s+and)\s+`?[a-z]+(?:-[a-z]+)*`?)*)(?=[\s,.;:)]|$)"
)
LINK = re.compile(r"\]\(([^()#\s]*)#([^()\s]+)\)")
PROSE = {"carries", "has", "id", "ids", "is", "markers", "of", "row", "rows", "table", "that", "without"}
"""What follows the word where no id does."""
ROOMS = ("services/*", "contracts", "stripe_simulator", "deploy", "tests")
PAGES_OF = {"docs/engine.md": "services/chassis"}
"""Pages about one room, whose bare names are that room's."""


@dataclass(frozen=True, slots=True)
class Dangling:
    """A citation of what is not there."""

    where: str
    cited: str

    def __str__(self) -> str:
        return f"{self.where}: {self.cited}"


class Repository:
    """The files that may be cited, by their paths from the root."""

    def __init__(self, root: Path, files: Iterable[str], made: Iterable[str] = ()) -> None:
        """`made` are folders that come into being when it is used."""
        self.root, self.files = root, frozenset(files)
        self.folders = {str(parent) for file in self.files for parent in PurePosixPath(file).parents} - {"."}
        self.folders |= set(made)
        self.services = [file.removesuffix("/app.py") for file in self.files if re.match(r"services/\w+/app\.py", file)]

    @cached_property
    def ends(self) -> dict[str, list[str]]:
        """Every end of every path, from a name on → the paths that end so."""
        found: dict[str, list[str]] = {}
        for path in sorted(self.files | self.folders):
            parts = path.split("/")
            for first in range(len(parts)):
                found.setdefault("/".join(parts[first:]), []).append(path)
        return found

    @cached_property
    def requirements(self) -> set[str]:
        return set(re.findall(r"(?m)^\| `([a-z-]+)` \|", (self.root / "docs/requirements.md").read_text()))

    def dangling(self, citing: str) -> list[Dangling]:
        """What a file cites that is not there."""
        found = [cited for text in texts(self.root / citing) for cited in self.missing(text, citing)]
        return [Dangling(citing, cited) for cited in dict.fromkeys(found)]

    def missing(self, text: str, citing: str) -> Iterator[str]:
        """The citations of one text that name nothing."""
        shown = SHOWN_WHOLE.findall(text)
        for match in FILE.finditer(text):
            if match[0] in shown:
                continue
            path = self.resolve(match[0], citing)
            rest = text[match.end() :]
            if path is None:
                yield match[0]
            elif path.endswith(".md") and (heading := HEADING.match(rest)):
                yield from self._missing_headings(path, match[0], heading[1])
            elif path.endswith(".py") and (name := NAME.match(rest)) and not self._has(path, name[1]):
                yield f"{match[0]}: {name[1]}"
        yield from (match[1] for match in FOLDER.finditer(text) if self.resolve(match[1].rstrip("/"), citing) is None)
        yield from (match[0] for match in INSIDE.finditer(text) if self._begins_here(match[0]) is False)
        yield from (match[0] for match in MODULE.finditer(text) if not self._is_module(match[0]))
        for page, part in LINK.findall(text) if citing.endswith(".md") else ():
            path = self.resolve(page, citing) if page else citing
            if path and part not in {_anchor(one) for one in _sections((self.root / path).read_text())}:
                yield f"{page}#{part}"
        for match in IDS.finditer(text):
            named = [match[2], *(re.findall(r"(?!and\b)\b[a-z]+(?:-[a-z]+)*", match[3]) if match[1] else [])]
            if named[0] not in PROSE:
                yield from (f"requirement {one}" for one in named if one not in self.requirements)

    def resolve(self, cited: str, citing: str) -> str | None:
        """The path that a name or a path's end stands for, the nearest to who cites it."""
        here = PurePosixPath(citing).parent
        for base in (here, *here.parents, PurePosixPath("docs")):
            path = _normal(base / cited)
            if path in self.ends.get(path, ()):
                return path
        found = self.ends.get(cited.removeprefix("./").removeprefix("../"), [])
        room = self._room(citing)
        if "/" not in cited and room is not None:
            everywhere = all(f"{service}/{cited}" in self.files for service in self.services)
            found = [path for path in found if everywhere or path.startswith(f"{room}/")]
        return found[0] if found else None

    def _room(self, citing: str) -> str | None:
        if citing in PAGES_OF:
            return PAGES_OF[citing]
        for parent in PurePosixPath(citing).parents:
            if str(parent) != "." and any(parent.match(room) and _depth(parent) == _depth(room) for room in ROOMS):
                return str(parent)
        return None

    def _begins_here(self, cited: str) -> bool | None:
        """Whether a path without an end is there; None where it is no path of ours but words."""
        first, *_ = cited.split("/")
        if first not in self.ends or not any(path in self.folders for path in self.ends[first]):
            return None
        begins = any(path.startswith(f"{cited}-") or f"/{cited}-" in path for path in self.files)
        return cited in self.ends or f"{cited}.py" in self.ends or (cited[-1].isdigit() and begins)

    def _is_module(self, dotted: str) -> bool:
        for folder in ("", "contracts/", "stripe_simulator/"):
            parts, rest = dotted.split("."), list[str]()
            while parts:
                path = folder + "/".join(parts)
                if f"{path}.py" in self.files:
                    return not rest or self._has(f"{path}.py", rest[0])
                if path in self.folders:
                    init = f"{path}/__init__.py"
                    return not rest or (init in self.files and self._has(init, rest[0]))
                rest.insert(0, parts.pop())
        return False

    def _has(self, path: str, name: str) -> bool:
        return re.search(rf"\b{re.escape(name)}\b", (self.root / path).read_text()) is not None

    def _missing_headings(self, page: str, cited: str, rest: str) -> Iterator[str]:
        sections = _sections((self.root / page).read_text())
        words = re.sub(r"\s+", " ", rest)
        named = [one for one in sections if re.match(rf"{re.escape(one)}(?!\w)", words)]
        if not named:
            yield f"{cited}, {words[:40]}"
            return
        heading = max(named, key=len)
        after = words[len(heading) :]
        if (item := re.match(r" (\d+)", after)) and not re.search(rf"(?m)^{item[1]}\. ", sections[heading]):
            yield f"{cited}, {heading} {item[1]}"
        elif following := re.match(r"; ([A-Z][a-z].*)", after):
            yield from self._missing_headings(page, cited, following[1])


def _sections(page: str) -> dict[str, str]:
    """Heading → what stands under it."""
    parts = re.split(r"(?m)^#{1,4} +(.+?) *$", page)
    return dict(zip(parts[1::2], parts[2::2], strict=True))


def _anchor(heading: str) -> str:
    """As a page's reader on the web links to it."""
    return re.sub(r"[^\w -]", "", heading.lower()).replace(" ", "-")


def _depth(path: object) -> int:
    return str(path).count("/")


def _normal(path: PurePosixPath) -> str:
    parts: list[str] = []
    for part in path.parts:
        if part == ".." and parts:
            parts.pop()
        elif part != ".":
            parts.append(part)
    return "/".join(parts)
