"""Everything the simulated Stripe account holds, in memory."""

import secrets
from collections import Counter, deque
from collections.abc import Callable
from copy import copy
from dataclasses import dataclass
from typing import Generic, TypeVar

from stripe_simulator.account_objects import Customer, Event, PaymentMethod, Resource, SetupIntent
from stripe_simulator.agenda import Agenda
from stripe_simulator.balance_transactions import BalanceTransaction
from stripe_simulator.behaviour import Behaviour
from stripe_simulator.cards import Decline
from stripe_simulator.clock import Clock
from stripe_simulator.dispute_objects import Dispute
from stripe_simulator.errors import ApiError, JsonObject, no_such
from stripe_simulator.payment_objects import Charge, PaymentIntent
from stripe_simulator.refund_objects import Refund
from stripe_simulator.transfer_objects import Transfer

R = TypeVar("R", bound=Resource)
REQUESTS_KEPT = 500_000
MOST_LEVELS = 4
LISTED_INSIDE = 10


class Collection(Generic[R]):
    """All objects of one kind, oldest first; their ids sort in the order of creation."""

    def __init__(self, name: str) -> None:
        self.name = name
        self.rows: list[R] = []
        self._by_id: dict[str, R] = {}

    def add(self, row: R) -> R:
        self.rows.append(row)
        self._by_id[row.id] = row
        return row

    def find(self, object_id: str) -> R | None:
        return self._by_id.get(object_id)

    def at_path(self, object_id: str, param: str = "id") -> R:
        """The object named in the path. Raises 404 resource_missing."""
        row = self._by_id.get(object_id)
        if row is None:
            raise no_such(self.name, object_id, param=param, status=404)
        return row

    def named_by(self, object_id: str, param: str) -> R:
        """The object that a parameter names. Raises 400 resource_missing."""
        row = self._by_id.get(object_id)
        if row is None:
            raise no_such(self.name, object_id, param=param)
        return row


@dataclass(slots=True)
class LoggedRequest:
    """One request as it came; `status` is None when it was never answered. `encoded` is the form or query."""

    method: str
    path: str
    idempotency_key: str | None
    encoded: bytes
    status: int | None


class World:
    """The account's objects, its balance per currency (minor units), its events and its request log.

    `cause`, `api_version` and `decline` are of the request under way: its id and idempotency key, its Stripe-Version,
    and why a charge in it is declined whatever the card (faults.py).

    `on_event` is called with every new event, in order. `outcome_delay_seconds` is how long, on the clock,
    the late outcomes of test cards take: a pending refund that succeeds, a refund that fails, a dispute that
    opens.
    """

    def __init__(self, clock: Clock, on_event: Callable[[Event], None], outcome_delay_seconds: float) -> None:
        self.clock = clock
        self.agenda = Agenda(clock)
        self.behaviour = Behaviour()
        self.outcome_delay_seconds = outcome_delay_seconds
        self.payment_intents: Collection[PaymentIntent] = Collection("payment_intent")
        self.charges: Collection[Charge] = Collection("charge")
        self.refunds: Collection[Refund] = Collection("refund")
        self.disputes: Collection[Dispute] = Collection("dispute")
        self.transfers: Collection[Transfer] = Collection("transfer")
        self.customers: Collection[Customer] = Collection("customer")
        self.payment_methods: Collection[PaymentMethod] = Collection("PaymentMethod")
        self.setup_intents: Collection[SetupIntent] = Collection("setupintent")
        self.events: Collection[Event] = Collection("event")
        self.charges_of: dict[str, list[Charge]] = {}
        self.refunds_of: dict[str, list[Refund]] = {}
        self.balance_transactions: Collection[BalanceTransaction] = Collection("balance_transaction")
        self.balance: Counter[str] = Counter()
        self.transferred: Counter[str] = Counter()
        self.requests: deque[LoggedRequest] = deque(maxlen=REQUESTS_KEPT)
        self.cause: tuple[str | None, str | None] = (None, None)
        self.api_version: str | None = None
        self.decline: Decline | None = None
        self._on_event = on_event
        self._run = secrets.token_hex(5)
        self._issued = 0

    def new_id(self, prefix: str) -> str:
        """A new id; ids sort in the order they were issued and never repeat over restarts."""
        self._issued += 1
        return f"{prefix}_3{self._run}{self._issued:013x}"

    def goes_on_after(self, other: "World") -> None:
        """Issue no id that `other` has issued."""
        self._run, self._issued = other._run, other._issued

    @property
    def releases_are_refunds(self) -> bool:
        """Whether what the request under way lets go of an authorisation is a Refund (behaviour.py)."""
        return self.behaviour.makes_refunds_of_releases(self.api_version)

    def now(self) -> int:
        return int(self.clock.now())

    def move(self, kind: str, amount_minor: int, currency: str, source: str | None) -> BalanceTransaction:
        """Into the balance, or out of it (negative); the only way in which it changes."""
        moved = BalanceTransaction(self.new_id("txn"), self.now(), amount_minor, currency, kind, source)
        self.balance[currency] += amount_minor
        return self.balance_transactions.add(moved)

    def emit(self, event_type: str, resource: Resource, subject: str) -> None:
        """Record an event with a snapshot of the object; `subject` is what it is delivered in order with."""
        request_id, idempotency_key = self.cause
        event = Event(self.new_id("evt"), self.now(), event_type, subject, copy(resource), request_id, idempotency_key)
        self.events.add(event)
        self._on_event(event)

    def expand(self, rendered: JsonObject, paths: list[str]) -> JsonObject:
        """The answer with the ids at `paths` (`latest_charge`, `data.charge`) replaced by their objects, and with the
        lists that are only there when asked for (`refunds` of a charge).

        Raises 400 for what an object does not have and for more than four levels (page "Expanding responses").
        """
        for path in paths:
            names = path.split(".")
            if len(names) > MOST_LEVELS + (names[0] == "data"):
                raise _not_expandable(
                    f"You cannot expand more than {MOST_LEVELS} levels of a property. Property: {path}"
                )
            self._expand(rendered, names, path)
        return rendered

    def _expand(self, node: object, path: list[str], whole: str) -> None:
        if isinstance(node, list):
            for item in node:
                self._expand(item, path, whole)
        elif isinstance(node, dict) and path:
            if path[0] == "refunds" and node.get("object") == "charge":
                node["refunds"] = self._refunds(node)
            if path[0] not in node:
                raise _not_expandable(f"This property cannot be expanded ({whole}).")
            value = node[path[0]]
            if isinstance(value, str):
                found = self._lookup(value)
                if found is None:
                    return
                value = node[path[0]] = found.render()
            self._expand(value, path[1:], whole)

    def _refunds(self, charge: JsonObject) -> JsonObject:
        """A charge's newest refunds, as the list inside it."""
        rows = [row for row in self.refunds_of.get(str(charge["payment_intent"]), []) if row.charge == charge["id"]]
        newest = [row.render() for row in reversed(rows[-LISTED_INSIDE:])]
        more = len(rows) > LISTED_INSIDE
        return {"object": "list", "data": newest, "has_more": more, "url": f"/v1/charges/{charge['id']}/refunds"}

    def _lookup(self, object_id: str) -> Resource | None:
        match object_id.partition("_")[0]:
            case "pi":
                return self.payment_intents.find(object_id)
            case "ch":
                return self.charges.find(object_id)
            case "cus":
                return self.customers.find(object_id)
            case "pm":
                return self.payment_methods.find(object_id)
            case "tr":
                return self.transfers.find(object_id)
            case "re":
                return self.refunds.find(object_id)
            case "txn":
                return self.balance_transactions.find(object_id)
            case "du":
                return self.disputes.find(object_id)
            case _:
                return None


def _not_expandable(message: str) -> ApiError:
    return ApiError(400, "invalid_request_error", message, param="expand")
