"""The command line of the stack: up, down, status, clean."""

import argparse
import shutil
import sys
from pathlib import Path

from deploy.local import postgres
from deploy.local.catalog import INFRASTRUCTURE, PARTS
from deploy.local.processes import ProcessFailed
from deploy.local.stack import DEFAULT_ROOT, Stack


def main(arguments: list[str] | None = None) -> None:
    """Run one command; exits with 1 when the stack does not come up, or is not up when asked."""
    chosen = _parser().parse_args(arguments)
    parts = INFRASTRUCTURE if chosen.without_services else PARTS
    stack = Stack(chosen.root, replicas=chosen.replicas, parts=parts, fast=chosen.fast)
    try:
        if chosen.command == "up":
            stack.up(progress=_say)
        elif chosen.command == "status":
            sys.exit(0 if _print_status(stack) else 1)
        else:
            stack.down(progress=_say)
            if chosen.command == "clean":
                _remove(chosen.root)
    except (ProcessFailed, RuntimeError, OSError) as problem:
        sys.exit(f"{problem}\n`make status` shows what runs, `make down` stops it.")


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m deploy.local", description=__doc__)
    parser.add_argument("command", choices=["up", "down", "status", "clean"])
    parser.add_argument("--replicas", type=int, default=1, help="replicas of each service (default 1)")
    parser.add_argument("--root", type=Path, default=DEFAULT_ROOT, help="where data, logs and pids go")
    parser.add_argument("--without-services", action="store_true", help="only what the services need")
    parser.add_argument("--fast", action="store_true", help="PostgreSQL without fsync")
    return parser


def _say(line: str) -> None:
    print(line, flush=True)


def _print_status(stack: Stack) -> bool:
    states = stack.status()
    for process in states:
        print(f"{process.name:<20} {process.pid or '-':>8}  {process.state:<10} {stack.log(process.name)}")
    return all(process.state == "ready" for process in states)


def _remove(root: Path) -> None:
    postgres.remove(root)
    shutil.rmtree(root, ignore_errors=True)
    print(f"{root} is removed.")


if __name__ == "__main__":
    main()
