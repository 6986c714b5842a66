"""The command line of the stack: up, down, status, clean; and hold, for programs that need a stack while they run."""

import argparse
import shutil
import signal
import sys
from collections.abc import Callable
from pathlib import Path
from typing import NoReturn

from deploy.local import ports, postgres
from deploy.local.catalog import INFRASTRUCTURE, PARTS, SYSTEM
from deploy.local.concurrently import concurrently
from deploy.local.processes import ProcessFailed
from deploy.local.stack import DEFAULT_ROOT, Stack


def main(arguments: list[str] | None = None) -> None:
    """Run one command; exits with 1 when the stack does not come up, or is not up when asked."""
    chosen = _parser().parse_args(arguments)
    ports.SHARE = chosen.share
    wanted = SYSTEM if chosen.command == "hold" else PARTS
    parts = INFRASTRUCTURE if chosen.without_services else wanted
    stack = Stack(chosen.root, replicas=chosen.replicas, parts=parts, fast=chosen.fast)
    try:
        if chosen.command == "up":
            stack.up(progress=_say)
            say_console(stack)
        elif chosen.command == "status":
            sys.exit(0 if _print_status(stack) else 1)
        elif chosen.command == "hold":
            _hold(stack, chosen.root)
        else:
            stack.down(progress=_say)
            if chosen.command == "clean":
                _remove(chosen.root)
                _say(f"{chosen.root} is removed.")
    except (ProcessFailed, RuntimeError, OSError) as problem:
        sys.exit(f"{problem}\n`make status` shows what runs, `make down` stops it.")


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m deploy.local", description=__doc__)
    parser.add_argument("command", choices=["up", "down", "status", "clean", "hold"])
    parser.add_argument("--replicas", type=int, default=1, help="replicas of each service (default 1)")
    parser.add_argument("--root", type=Path, default=DEFAULT_ROOT, help="where data, logs and pids go")
    parser.add_argument("--without-services", action="store_true", help="only what the services need")
    parser.add_argument("--fast", action="store_true", help="PostgreSQL without fsync")
    parser.add_argument("--share", type=_share, default=ports.SHARE, help="of the ports, as 0/4: see ports.py")
    return parser


def _share(text: str) -> slice:
    number, _, count = text.partition("/")
    return slice(int(number), None, int(count))


def _hold(stack: Stack, root: Path) -> None:
    """Up, until standard input ends; then everything goes. Standard output has the path of stack.env, once all is up.

    A line `stop` or `start` on standard input does that to the services; it is repeated on standard output once it is
    done. The end of standard input is the end of whoever asked, also of one that was killed: nothing is left behind.
    Raises RuntimeError where the root is there already: it is somebody's.
    """
    if root.exists():
        raise RuntimeError(f"{root} is there already, and would be removed at the end: name another --root.")
    signal.signal(signal.SIGTERM, _end)
    try:
        stack.up(progress=_complain)
        _say(str(root.resolve() / "stack.env"))
        for line in sys.stdin:
            _do(line.strip(), stack)
            _say(line.strip())
    finally:
        stack.down(progress=_complain)
        _remove(root)


def _do(asked: str, stack: Stack) -> None:
    does: dict[str, Callable[[str], None]] = {"stop": stack.stop_process, "start": stack.start_process}
    if asked not in does:
        raise RuntimeError(f"{asked!r} is neither stop nor start")
    concurrently(does[asked], [name for name in stack.names if name not in INFRASTRUCTURE])


def _end(_number: int, _frame: object) -> NoReturn:
    sys.exit(0)


def _complain(line: str) -> None:
    print(line, file=sys.stderr, flush=True)


def _say(line: str) -> None:
    print(line, flush=True)


def say_console(stack: Stack) -> None:
    """Where operators look, for a stack that has a console."""
    if "console" in stack.names:
        _say(f"The console: {stack.env['CONSOLE_URL']}, its token: {stack.env['CONSOLE_TOKEN']}")


def _print_status(stack: Stack) -> bool:
    states = stack.status()
    for process in states:
        print(f"{process.name:<20} {process.pid or '-':>8}  {process.state:<10} {stack.log(process.name)}")
    if any((process.name, process.state) == ("console", "ready") for process in states):
        say_console(stack)
    return all(process.state == "ready" for process in states)


def _remove(root: Path) -> None:
    postgres.remove(root)
    shutil.rmtree(root, ignore_errors=True)


if __name__ == "__main__":
    main()
