"""Our own Python programs as processes of the stack: simulator, mailbox, clock and the services."""

from collections.abc import Mapping

from deploy.local.clock_offset import ClockOffset
from deploy.local.environment import auditor_env, console_env, python_env, python_module, service_env
from deploy.local.layout import REPOSITORY, Layout
from deploy.local.ports import answers_http, answers_tcp
from deploy.local.processes import Process
from deploy.local.secured import secret_file
from services.payments.stripe_events.events import WANTED_EVENT_TYPES


def stripe_simulator(layout: Layout) -> Process:
    """The stand-in for Stripe; it delivers the events that payments wants to its first replica."""
    port, control = layout.ports["stripe-simulator"], layout.ports["stripe-control"]
    webhooks = f"{layout.url('payments-1')}/webhooks/stripe"
    arguments = ["--host", "127.0.0.1", "--port", str(port), "--control-port", str(control)]
    arguments += ["--webhook-url", webhooks, "--webhook-secret", layout.secrets["stripe-webhook"]]
    arguments += ["--webhook-events", ",".join(WANTED_EVENT_TYPES)]
    arguments += ["--clock-offset-file", str(layout.clock_offset_file)]
    return Process(
        name="stripe-simulator",
        command=python_module("stripe_simulator", *arguments),
        answers=lambda: answers_tcp(port) and answers_tcp(control),
        environment=python_env(),
        directory=REPOSITORY,
        before_start=lambda: _create_clock_file(layout),
    )


def mailbox(layout: Layout) -> Process:
    """The mail server that keeps what it receives."""
    smtp, port = layout.ports["mailbox-smtp"], layout.ports["mailbox"]
    arguments = ["--smtp-port", str(smtp), "--http-port", str(port)]
    if layout.secure:
        arguments += ["--password-file", str(secret_file(layout, "mailbox", "SMTP_PASSWORD"))]
    return Process(
        name="mailbox",
        command=python_module("deploy.local.mailbox", *arguments),
        answers=lambda: answers_http(port, "/messages"),
        environment=python_env(),
        directory=REPOSITORY,
    )


def clock_offset(layout: Layout) -> Process:
    """The clock that tests move forward."""
    port = layout.ports["clock-offset"]
    arguments = ("--port", str(port), "--file", str(layout.clock_offset_file))
    return Process(
        name="clock-offset",
        command=python_module("deploy.local.clock_offset", *arguments),
        answers=lambda: answers_http(port, "/"),
        environment=python_env(),
        directory=REPOSITORY,
        before_start=lambda: _create_clock_file(layout),
    )


def service_replica(layout: Layout, service: str, number: int) -> Process:
    """One replica of a service, counted from 1."""
    name = f"{service}-{number}"
    port = layout.ports[name]
    return Process(
        name=name,
        command=python_module("deploy.local.service", service),
        answers=lambda: answers_http(port, "/health/ready"),
        environment=service_env(layout, service, number),
        directory=REPOSITORY,
    )


def auditor(layout: Layout) -> Process:
    """What always checks that everything agrees; ready once it could look."""
    return _operators(layout, "auditor", auditor_env(layout))


def console(layout: Layout) -> Process:
    """The pages of operators."""
    return _operators(layout, "console", console_env(layout))


def _operators(layout: Layout, name: str, environment: Mapping[str, str]) -> Process:
    port = layout.ports[name]
    return Process(
        name=name,
        command=python_module("deploy.local.operators", name),
        answers=lambda: answers_http(port, "/health/ready"),
        environment=environment,
        directory=REPOSITORY,
        before_start=lambda: _create_clock_file(layout),
    )


def _create_clock_file(layout: Layout) -> None:
    """Whoever starts first creates it; a second creation finds it there."""
    ClockOffset(layout.clock_offset_file)
