"""`python -m deploy.packages.build [DIRECTORY]`: wheel and sdist of each distribution, the same bytes from a commit.

Built is what git knows of the work tree, in a copy: what an earlier build left does not get in, and nothing is written
beside the sources. The wheel is made from the sdist, so what one lacks the other lacks. setuptools takes the commit's
moment for the files of a wheel (SOURCE_DATE_EPOCH, reproducible-builds.org); an sdist has the moment and the user of
its build, so it is packed anew.
"""

from __future__ import annotations

import argparse
import gzip
import os
import shutil
import subprocess
import sys
import tarfile
import tempfile
from io import BytesIO
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
PROJECTS = ("contracts", "stripe_simulator", ".")


def build(directory: Path) -> list[Path]:
    """Writes the archives into `directory` and returns their paths.

    The setuptools is that of this environment, which is locked by its hash (requirements/build.txt), so that nothing is
    downloaded. Raises subprocess.CalledProcessError where git or the build fails.
    """
    with tempfile.TemporaryDirectory() as name:
        sources, made = Path(name, "sources"), Path(name, "made")
        _copy_tracked(sources)
        for project in PROJECTS:
            sdist = _uv_build(sources / project, made / project, "--sdist")
            _pack_anew(sdist, commit_time())
            _uv_build(sdist, made / project, "--wheel")
        directory.mkdir(parents=True, exist_ok=True)
        archives = [*sorted(made.rglob("*.tar.gz")), *sorted(made.rglob("*.whl"))]
        return [Path(shutil.copy(archive, directory)) for archive in archives]


def commit_time() -> int:
    """Seconds since 1970, of the commit that is checked out, unless SOURCE_DATE_EPOCH says otherwise."""
    return int(os.environ.get("SOURCE_DATE_EPOCH") or _git("log", "-1", "--format=%ct"))


def tracked() -> list[str]:
    """Paths that git knows, and that are there."""
    return [path for path in _git("ls-files", "-z").split("\0") if path and (ROOT / path).is_file()]


def _git(*arguments: str) -> str:
    return subprocess.run(["git", *arguments], cwd=ROOT, check=True, capture_output=True, text=True).stdout


def _copy_tracked(sources: Path) -> None:
    """Without the modes, which differ from checkout to checkout and would be in the archives."""
    for path in tracked():
        copy = sources / path
        copy.parent.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(ROOT / path, copy)
        copy.chmod(0o644)


def _uv_build(source: Path, into: Path, kind: str) -> Path:
    """The archive of that kind."""
    command = [sys.executable, "-m", "uv", "build", "--quiet", "--offline", "--no-build-isolation"]
    command += ["--python", sys.executable]
    environment = os.environ | {"SOURCE_DATE_EPOCH": str(commit_time())}
    subprocess.run([*command, kind, "--out-dir", str(into), str(source)], check=True, env=environment, umask=0o022)
    (archive,) = into.glob({"--sdist": "*.tar.gz", "--wheel": "*.whl"}[kind])
    return archive


def _pack_anew(sdist: Path, moment: int) -> None:
    """The same files, in order of their names, of nobody, written at that moment."""
    packed = BytesIO()
    with tarfile.open(sdist) as old, tarfile.open(fileobj=packed, mode="w", format=tarfile.PAX_FORMAT) as new:
        for member in sorted((one for one in old if one.isfile()), key=lambda one: one.name):
            plain = tarfile.TarInfo(member.name)
            plain.size, plain.mtime, plain.mode = member.size, moment, 0o644
            new.addfile(plain, old.extractfile(member))
    sdist.write_bytes(gzip.compress(packed.getvalue(), mtime=moment))


def main() -> None:
    """Say what was built."""
    parser = argparse.ArgumentParser(prog="python -m deploy.packages.build", description=__doc__)
    parser.add_argument("directory", type=Path, nargs="?", default=ROOT / "dist")
    for archive in build(parser.parse_args().directory):
        print(f"{archive.stat().st_size:>9,}  {archive}")


if __name__ == "__main__":
    main()
