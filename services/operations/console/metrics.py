"""The console's metrics, in a registry of their own beside what every process exports."""

from typing import Literal, get_args

from prometheus_client import Counter

from services.chassis.metrics import of_any_process

REGISTRY = of_any_process()
logins_refused = Counter(
    "booking_console_logins_refused_total",
    "Who was not let in, by why: a token that is none of ours, one that has ended, a proxy without its secret",
    ["reason"],
    registry=REGISTRY,
)
Reason = Literal["no token of ours", "token has ended", "not by the proxy"]
for reason in get_args(Reason):
    logins_refused.labels(reason)
