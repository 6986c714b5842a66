"""Every process of a stack by name, and what runs once before the services."""

import subprocess
from collections.abc import Callable, Mapping
from dataclasses import replace

from booking_contracts.rights import SERVICES

from deploy.local import programs
from deploy.local.contained import contained
from deploy.local.environment import migration_env, python_module
from deploy.local.kafka import kafka
from deploy.local.layout import REPOSITORY, Layout
from deploy.local.postgres import postgres
from deploy.local.processes import Process, ProcessFailed

INFRASTRUCTURE = ("postgres", "kafka", "stripe-simulator", "mailbox", "clock-offset")
OPERATORS = ("auditor", "console")
SYSTEM = (*INFRASTRUCTURE, "services")
"""What bookings need."""
PARTS = (*SYSTEM, *OPERATORS)
"""And what people need who look after them."""
BUILDERS: Mapping[str, Callable[[Layout], Process]] = {
    "kafka": kafka,
    "stripe-simulator": programs.stripe_simulator,
    "mailbox": programs.mailbox,
    "clock-offset": programs.clock_offset,
    "auditor": programs.auditor,
    "console": programs.console,
}
SETUP_STEPS = {
    "postgres": ("migrate", "services.operations.migrate"),
    "kafka": ("topics", "services.operations.topics"),
}
"""What runs to its end, once the named process answers and before anything starts that needs it."""


def process_named(layout: Layout, name: str, extra_env: Mapping[str, str], fast: bool, in_container: bool) -> Process:
    """How to run the process; `extra_env` is added to its environment. KeyError for an unknown name."""
    process = contained(layout, name, fast) if in_container else _process(layout, name, fast)
    return replace(process, environment={**process.environment, **extra_env})


def _process(layout: Layout, name: str, fast: bool) -> Process:
    if name == "postgres":
        return postgres(layout, fast)
    if name in BUILDERS:
        return BUILDERS[name](layout)
    service, _, number = name.rpartition("-")
    if service not in SERVICES:
        raise KeyError(f"{name} is no process of the stack")
    return programs.service_replica(layout, service, int(number))


def run_setup_step(layout: Layout, part: str) -> str:
    """Run what follows the named process; returns the step's name. Raises ProcessFailed with its output."""
    step, module = SETUP_STEPS[part]
    log = layout.logs / f"{step}.log"
    with log.open("wb") as output:
        done = subprocess.run(
            python_module(module),
            env=migration_env(layout),
            cwd=REPOSITORY,
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=subprocess.STDOUT,
            check=False,
        )
    if done.returncode != 0:
        end = "\n".join(log.read_text(errors="replace").splitlines()[-25:])
        raise ProcessFailed(f"{step} failed. The end of {log}:\n{end}")
    return step
