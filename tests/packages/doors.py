"""The first screen of the README: three ways in, each with what to type."""

from __future__ import annotations

import re
from dataclasses import dataclass

DOORS = ("Try it", "Use it from your service", "Run it")
_HEADING = re.compile(r"(?m)^## (.+)$")
_BLOCK = re.compile(r"(?ms)^```(sh|python)\n(.*?)^```$")


@dataclass(frozen=True)
class Block:
    """Commands, or a file of Python whose name stands in its first line, after `# `."""

    language: str
    text: str

    @property
    def commands(self) -> list[str]:
        """One a line, as they are typed."""
        return [line for line in self.text.splitlines() if line] if self.language == "sh" else []

    @property
    def file(self) -> str:
        """Its name."""
        return self.text.partition("\n")[0].removeprefix("# ")


def needs_engine(command: str) -> bool:
    """Whether it works only where a Docker engine answers."""
    return "docker " in command


def doors(page: str) -> dict[str, list[Block]]:
    """Heading → its blocks, of every section of the page, in order."""
    parts = _HEADING.split(page)[1:]
    return {
        heading: [Block(*found) for found in _BLOCK.findall(text)]
        for heading, text in zip(parts[::2], parts[1::2], strict=True)
    }
