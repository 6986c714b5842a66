"""What the account answers about itself: charges, events, balance and connected accounts (API reference)."""

from stripe_simulator.balance_transactions import KINDS
from stripe_simulator.errors import JsonObject, no_such
from stripe_simulator.form import Params
from stripe_simulator.listing import page
from stripe_simulator.transfers import CLOSED
from stripe_simulator.world import World

NO_REQUIREMENTS: JsonObject = {
    "alternatives": [],
    "current_deadline": None,
    "currently_due": [],
    "errors": [],
    "eventually_due": [],
    "past_due": [],
    "pending_verification": [],
}


def retrieve_charge(world: World, object_id: str, params: Params) -> JsonObject:
    return world.charges.at_path(object_id).render()


def list_charges(world: World, object_id: str, params: Params) -> JsonObject:
    intent, group, customer = (params.text(name) for name in ("payment_intent", "transfer_group", "customer"))
    rows = world.charges.rows if intent is None else world.charges_of.get(intent, [])
    return page(
        rows,
        params,
        "/v1/charges",
        lambda row: group in (None, row.transfer_group) and customer in (None, row.customer),
    )


def retrieve_event(world: World, object_id: str, params: Params) -> JsonObject:
    return world.events.at_path(object_id).render()


def list_events(world: World, object_id: str, params: Params) -> JsonObject:
    """`type` may end in `*`; `delivery_success=false` leaves events whose webhook was not accepted (yet)."""
    kind, kinds = params.text("type"), frozenset(params.names("types"))
    prefix = kind.removesuffix("*") if kind is not None and kind.endswith("*") else None
    wanted = kinds | ({kind} if kind is not None and prefix is None else set())
    undelivered, delivered = (params.text("delivery_success") == value for value in ("false", "true"))
    return page(
        world.events.rows,
        params,
        "/v1/events",
        lambda row: (
            (not wanted or row.type in wanted)
            and (prefix is None or row.type.startswith(prefix))
            and (not undelivered or row.pending_webhooks > 0)
            and (not delivered or row.pending_webhooks == 0)
        ),
    )


def retrieve_balance(world: World, object_id: str, params: Params) -> JsonObject:
    """Captured money is available at once; there are no fees."""
    held = {currency: amount for currency, amount in sorted(world.balance.items()) if amount} or {"eur": 0}
    available = [
        {"amount": amount, "currency": currency, "source_types": {"card": amount}} for currency, amount in held.items()
    ]
    pending = [{"amount": 0, "currency": currency, "source_types": {"card": 0}} for currency in held]
    return {"object": "balance", "available": available, "livemode": False, "pending": pending}


def retrieve_balance_transaction(world: World, object_id: str, params: Params) -> JsonObject:
    return world.balance_transactions.at_path(object_id).render()


def list_balance_transactions(world: World, object_id: str, params: Params) -> JsonObject:
    """`source` names the object that moved the money, `type` the kind of movement."""
    source, kind, currency = (params.text(name) for name in ("source", "type", "currency"))
    return page(
        world.balance_transactions.rows,
        params,
        "/v1/balance_transactions",
        lambda row: (
            source in (None, row.source) and kind in (None, KINDS[row.kind][0]) and currency in (None, row.currency)
        ),
    )


def retrieve_account(world: World, object_id: str, params: Params) -> JsonObject:
    """Every acct_ id exists; one that contains `closed` can receive nothing."""
    account_id = object_id or "acct_simulator"
    if not account_id.startswith("acct_"):
        raise no_such("account", account_id, param="account", status=404)
    is_open = CLOSED not in account_id
    capability = "active" if is_open else "inactive"
    return {
        "id": account_id,
        "object": "account",
        "business_type": "individual",
        "capabilities": {"card_payments": capability, "transfers": capability},
        "charges_enabled": is_open,
        "country": "DE",
        "created": world.now(),
        "default_currency": "eur",
        "details_submitted": True,
        "email": None,
        "metadata": {},
        "payouts_enabled": is_open,
        "requirements": {**NO_REQUIREMENTS, "disabled_reason": None if is_open else "rejected.other"},
        "type": "express",
    }
