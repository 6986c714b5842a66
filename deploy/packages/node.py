"""`python -m deploy.packages.node`: prints the folder of a Node that is new enough for examples/kafkajs, with its npm.

It is this machine's, else that of a wheel (requirements/node.txt), which is installed below .local/. Where neither is
to be had it prints why, and ends with 1.
"""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path

from deploy.packages.build import ROOT

EXAMPLE = ROOT / "examples" / "kafkajs"
OF_A_WHEEL = ROOT / ".local" / "node"


def oldest() -> int:
    """The major version that the example asks for."""
    wanted: str = json.loads((EXAMPLE / "package.json").read_text())["engines"]["node"]
    return int(wanted.removeprefix(">="))


def of_this_machine(environment: Mapping[str, str] = os.environ) -> Path | None:
    """None where node or npm is missing, or node too old: Debian 12 has 18."""
    node, npm = (shutil.which(name, path=environment["PATH"]) for name in ("node", "npm"))
    if node is None or npm is None:
        return None
    said = subprocess.run([node, "--version"], capture_output=True, text=True).stdout
    version = re.match(r"v(\d+)\.", said)
    return Path(node).parent if version and int(version[1]) >= oldest() else None


def of_a_wheel() -> Path:
    """Installs it where it is not. Raises subprocess.CalledProcessError where there is none for this machine."""
    binaries = OF_A_WHEEL / "bin"
    if not (binaries / "npm").exists():
        subprocess.run([sys.executable, "-m", "venv", "--clear", "--without-pip", str(OF_A_WHEEL)], check=True)
        install = [sys.executable, "-m", "uv", "pip", "install", "--quiet", "--python", str(binaries / "python")]
        subprocess.run([*install, "--require-hashes", "-r", str(ROOT / "requirements" / "node.txt")], check=True)
    return binaries


def main() -> int:
    """Returns the exit code."""
    try:
        print(of_this_machine() or of_a_wheel())
    except subprocess.CalledProcessError:
        print(f"this machine has no Node {oldest()} with npm, and no wheel of it can be installed")
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
