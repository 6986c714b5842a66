"""`python -m tests.mutants [SERVICE …]`: mutation testing of the services' rules (docs/mutants.md)."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from pathlib import Path

from tests.mutmut_of import ARGUMENTS, selection

ROOT = Path(__file__).resolve().parent.parent
COPY = ROOT / "mutants"
MUTMUT = [sys.executable, "-m", "tests.mutmut_of"]
CHILDREN = 2
LEAST_PERCENT = {"booking": 99, "payments": 90, "notifications": 90}
LONGEST_SECONDS = 300
"""Many times what the tests need: a mutant that takes longer runs for ever, which is noticed too."""


def run_mutmut(service: str) -> int:
    """Change one thing after the other; progress is shown to people only. Returns mutmut's exit code."""
    command = [*MUTMUT, service, "run", "--max-children", str(CHILDREN)]
    if sys.stdout.isatty():
        return subprocess.run(command, cwd=ROOT, check=False).returncode
    log = COPY / "run.log"
    with log.open("w") as output:
        code = subprocess.run(command, cwd=ROOT, check=False, stdout=output, stderr=subprocess.STDOUT).returncode
    if code != 0:
        print(log.read_text()[-4000:])
    return code


def outcomes(service: str) -> dict[str, str]:
    """Each mutant's name and what became of it."""
    command = [*MUTMUT, service, "results", "--all", "true"]
    listed = subprocess.run(command, cwd=ROOT, check=True, capture_output=True, text=True).stdout
    return {name.strip(): outcome for name, _, outcome in (line.rpartition(": ") for line in listed.splitlines())}


def passes(service: str, mutant: str) -> bool:
    """Whether the service's tests pass in a process of its own, in which `mutant` is there from the first import on."""
    command = [sys.executable, "-m", "pytest", "-x", *ARGUMENTS, *selection(service)]
    environment = {**os.environ, "MUTANT_UNDER_TEST": mutant}
    try:
        ran = subprocess.run(
            command, cwd=COPY, env=environment, check=False, capture_output=True, timeout=LONGEST_SECONDS
        )
    except subprocess.TimeoutExpired:
        return False
    return ran.returncode == 0


def try_again(service: str, survivors: list[str]) -> list[str]:
    """Those that survive in a process of their own too.

    mutmut forks after the modules were read: what builds a table while its module is read, it changes too late. And on
    a busy machine it takes what is slow for what runs for ever; whatever it did not see fail, tests must fail here.
    """
    if not passes(service, ""):
        sys.exit(f"Without any mutant the tests of {service} fail in mutants/; nothing can be said.")
    with ThreadPoolExecutor(CHILDREN) as pool:
        passed = pool.map(partial(passes, service), survivors)
        return [name for name, survived in zip(survivors, passed, strict=True) if survived]


def judge(service: str) -> bool:
    """Change a service's rules, show what survived; whether enough was killed.

    Always from nothing: mutmut keeps what it found, also when the tests have changed since.
    """
    shutil.rmtree(COPY, ignore_errors=True)
    COPY.mkdir()
    if run_mutmut(service):
        sys.exit(f"mutmut could not run on {service}.")
    found = outcomes(service)
    survivors = try_again(service, sorted(name for name, outcome in found.items() if outcome != "killed"))
    for name in survivors:
        shown = subprocess.run([*MUTMUT, service, "show", name], cwd=ROOT, check=False, capture_output=True, text=True)
        print(f"{found[name]}: {name}\n{shown.stdout}")
    killed, least = len(found) - len(survivors), LEAST_PERCENT[service]
    percent = 100 * killed / len(found) if found else 0
    figures = f"{len(found)} mutants, {killed} killed, {len(survivors)} survived: {percent:.1f} %"
    print(f"{service}: {figures}, wanted {least} %", flush=True)
    return percent >= least


def main() -> int:
    """All services, or those named."""
    services = sys.argv[1:] or list(LEAST_PERCENT)
    if unknown := set(services) - set(LEAST_PERCENT):
        sys.exit(f"{sorted(unknown)[0]} is no service with rules; choose of {', '.join(LEAST_PERCENT)}.")
    enough = [judge(service) for service in services]
    return 0 if all(enough) else 1


if __name__ == "__main__":
    raise SystemExit(main())
