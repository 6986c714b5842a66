"""Command line: `python -m stripe_simulator --port P --control-port C --webhook-url URL …`."""

import argparse
import asyncio
import gc
import os
import signal
from collections.abc import Sequence
from pathlib import Path

import uvloop

from stripe_simulator.simulator import Settings, Simulator
from stripe_simulator.webhooks import Endpoint


def settings_from(arguments: Sequence[str] | None = None) -> Settings:
    """Exits with a usage message when an argument is wrong."""
    parser = argparse.ArgumentParser(prog="stripe_simulator", description=__doc__)
    parser.add_argument("--host", default="127.0.0.1")
    parser.add_argument("--port", type=int, required=True, help="port of Stripe's API")
    parser.add_argument("--control-port", type=int, required=True, help="port for faults, state, 3-D Secure")
    parser.add_argument("--webhook-url", help="where events are delivered; none when left out")
    parser.add_argument("--webhook-secret", default="", help="signing secret, whsec_…")
    everything = os.environ.get("STRIPE_WEBHOOK_EVENTS", "*")
    parser.add_argument(
        "--webhook-events", default=everything, help="comma-separated event types to deliver; * for all"
    )
    parser.add_argument("--clock-offset-file", type=Path, help="8 bytes, little-endian int64, seconds")
    parser.add_argument("--outcome-delay-seconds", type=float, default=1.0, help="until late refund outcomes")
    given = parser.parse_args(arguments)
    endpoint = None
    if given.webhook_url:
        types = None if given.webhook_events == "*" else frozenset(given.webhook_events.split(","))
        endpoint = Endpoint(given.webhook_url, given.webhook_secret, types)
    return Settings(
        host=given.host,
        port=given.port,
        control_port=given.control_port,
        endpoint=endpoint,
        clock_offset_file=given.clock_offset_file,
        outcome_delay_seconds=given.outcome_delay_seconds,
    )


async def serve(settings: Settings) -> None:
    """Run until SIGTERM or SIGINT."""
    stopping = asyncio.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        asyncio.get_running_loop().add_signal_handler(number, stopping.set)
    simulator = Simulator(settings)
    await simulator.start()
    print(f"api {simulator.api_url} control {simulator.control_url}", flush=True)
    await stopping.wait()
    await simulator.stop()


def main() -> None:
    # Nothing here forms cycles, and everything lives long: frequent full collections would only walk the
    # whole state.
    gc.set_threshold(100_000, 50, 100)
    with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        runner.run(serve(settings_from()))


if __name__ == "__main__":
    main()
