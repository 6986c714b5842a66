"""Every endpoint on one page: route, operation name (as faults name it), handler and top-level parameters.

Parameter names are those of Stripe's OpenAPI description; more than the simulator reads is accepted, what
Stripe does not know is refused.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import TypeAlias

from stripe_simulator import (
    account,
    customers,
    disputes,
    payment_intents,
    payment_methods,
    refunds,
    setup_intents,
    transfers,
)
from stripe_simulator.errors import JsonObject
from stripe_simulator.form import Params
from stripe_simulator.listing import PAGING
from stripe_simulator.world import World

Handler: TypeAlias = Callable[[World, str, Params], JsonObject]


@dataclass(frozen=True, slots=True)
class Operation:
    name: str
    handler: Handler
    allowed: frozenset[str]


def _names(text: str) -> frozenset[str]:
    return frozenset(text.split()) | {"expand"}


_INTENT = """
    allowed_payment_method_types amount_details application_fee_amount capture_method customer_account
    excluded_payment_method_types hooks payment_details payment_method payment_method_configuration
    payment_method_data payment_method_options receipt_email setup_future_usage shipping
    statement_descriptor statement_descriptor_suffix transfer_data transfer_group
"""
_NEW_INTENT = _INTENT + " amount currency customer description metadata "
_CONFIRM = """
    confirmation_token error_on_requires_action mandate mandate_data off_session radar_options return_url
    use_stripe_sdk
"""
_SETUP = """
    allowed_payment_method_types attach_to_self automatic_payment_methods confirm confirmation_token customer
    customer_account description excluded_payment_method_types flow_directions mandate_data metadata
    on_behalf_of payment_method payment_method_configuration payment_method_data payment_method_options
    return_url single_use usage use_stripe_sdk
"""
_CUSTOMER = """
    address balance business_name cash_balance description email individual_name invoice_prefix
    invoice_settings metadata name next_invoice_sequence payment_method phone preferred_locales shipping
    source tax tax_exempt tax_id_data test_clock
"""
_PI, _CARD, _SETI = "/v1/payment_intents", "/v1/payment_methods", "/v1/setup_intents"
_ROUTES: list[tuple[str, str, Handler, frozenset[str]]] = [
    (
        f"POST {_PI}",
        "payment_intents.create",
        payment_intents.create_intent,
        _names(_NEW_INTENT + _CONFIRM + "automatic_payment_methods confirm confirmation_method on_behalf_of"),
    ),
    (
        f"GET {_PI}",
        "payment_intents.list",
        payment_intents.list_intents,
        PAGING | _names("customer customer_account"),
    ),
    (f"GET {_PI}/*", "payment_intents.retrieve", payment_intents.retrieve_intent, _names("client_secret")),
    (f"POST {_PI}/*", "payment_intents.update", payment_intents.update_intent, _names(_NEW_INTENT)),
    (
        f"POST {_PI}/*/confirm",
        "payment_intents.confirm",
        payment_intents.confirm_intent,
        _names(_INTENT + _CONFIRM + "amount_to_confirm client_secret"),
    ),
    (
        f"POST {_PI}/*/capture",
        "payment_intents.capture",
        payment_intents.capture_intent,
        _names(
            "amount_details amount_to_capture application_fee_amount final_capture hooks metadata "
            "payment_details "
            "statement_descriptor statement_descriptor_suffix transfer_data"
        ),
    ),
    (
        f"POST {_PI}/*/cancel",
        "payment_intents.cancel",
        payment_intents.cancel_intent,
        _names("cancellation_reason"),
    ),
    (
        "POST /v1/refunds",
        "refunds.create",
        refunds.create_refund,
        _names(
            "amount charge currency customer instructions_email metadata origin payment_intent reason "
            "refund_application_fee reverse_transfer"
        ),
    ),
    ("GET /v1/refunds", "refunds.list", refunds.list_refunds, PAGING | _names("charge payment_intent")),
    ("GET /v1/refunds/*", "refunds.retrieve", refunds.retrieve_refund, _names("")),
    ("POST /v1/refunds/*", "refunds.update", refunds.update_refund, _names("metadata")),
    (
        "GET /v1/charges",
        "charges.list",
        account.list_charges,
        PAGING | _names("customer payment_intent transfer_group"),
    ),
    ("GET /v1/charges/*", "charges.retrieve", account.retrieve_charge, _names("")),
    ("GET /v1/events", "events.list", account.list_events, PAGING | _names("delivery_success type types")),
    ("GET /v1/events/*", "events.retrieve", account.retrieve_event, _names("")),
    (
        "POST /v1/transfers",
        "transfers.create",
        transfers.create_transfer,
        _names("amount currency description destination metadata source_transaction source_type transfer_group"),
    ),
    (
        "GET /v1/transfers",
        "transfers.list",
        transfers.list_transfers,
        PAGING | _names("destination transfer_group"),
    ),
    ("GET /v1/transfers/*", "transfers.retrieve", transfers.retrieve_transfer, _names("")),
    ("POST /v1/transfers/*", "transfers.update", transfers.update_transfer, _names("description metadata")),
    (
        "POST /v1/transfers/*/reversals",
        "transfers.create_reversal",
        transfers.create_reversal,
        _names("amount description metadata refund_application_fee"),
    ),
    ("GET /v1/transfers/*/reversals", "transfers.list_reversals", transfers.list_reversals, PAGING),
    ("GET /v1/disputes", "disputes.list", disputes.list_disputes, PAGING | _names("charge payment_intent")),
    ("GET /v1/disputes/*", "disputes.retrieve", disputes.retrieve_dispute, _names("")),
    ("POST /v1/disputes/*", "disputes.update", disputes.update_dispute, _names("evidence metadata submit")),
    ("POST /v1/disputes/*/close", "disputes.close", disputes.concede_dispute, _names("")),
    ("POST /v1/customers", "customers.create", customers.create_customer, _names(_CUSTOMER)),
    ("GET /v1/customers", "customers.list", customers.list_customers, PAGING | _names("email test_clock")),
    ("GET /v1/customers/*", "customers.retrieve", customers.retrieve_customer, _names("")),
    ("POST /v1/customers/*", "customers.update", customers.update_customer, _names(_CUSTOMER)),
    (
        "GET /v1/customers/*/payment_methods",
        "customers.list_payment_methods",
        payment_methods.list_methods,
        PAGING | _names("allow_redisplay type"),
    ),
    (
        f"POST {_CARD}",
        "payment_methods.create",
        payment_methods.create_method,
        _names("type card billing_details metadata allow_redisplay customer payment_method radar_options"),
    ),
    (
        f"GET {_CARD}",
        "payment_methods.list",
        payment_methods.list_methods,
        PAGING | _names("allow_redisplay customer customer_account type"),
    ),
    (f"GET {_CARD}/*", "payment_methods.retrieve", payment_methods.retrieve_method, _names("")),
    (
        f"POST {_CARD}/*/attach",
        "payment_methods.attach",
        payment_methods.attach_method,
        _names("customer customer_account"),
    ),
    (f"POST {_CARD}/*/detach", "payment_methods.detach", payment_methods.detach_method, _names("")),
    (f"POST {_SETI}", "setup_intents.create", setup_intents.create_setup, _names(_SETUP)),
    (f"GET {_SETI}/*", "setup_intents.retrieve", setup_intents.retrieve_setup, _names("client_secret")),
    (
        f"POST {_SETI}/*/confirm",
        "setup_intents.confirm",
        setup_intents.confirm_setup,
        _names(
            "allowed_payment_method_types client_secret confirmation_token mandate_data payment_method "
            "payment_method_data payment_method_options return_url use_stripe_sdk"
        ),
    ),
    (
        f"POST {_SETI}/*/cancel",
        "setup_intents.cancel",
        setup_intents.cancel_setup,
        _names("cancellation_reason"),
    ),
    (
        "GET /v1/balance_transactions",
        "balance_transactions.list",
        account.list_balance_transactions,
        PAGING | _names("currency payout source type"),
    ),
    (
        "GET /v1/balance_transactions/*",
        "balance_transactions.retrieve",
        account.retrieve_balance_transaction,
        _names(""),
    ),
    ("GET /v1/balance", "balance.retrieve", account.retrieve_balance, _names("")),
    ("GET /v1/accounts/*", "accounts.retrieve", account.retrieve_account, _names("")),
    ("GET /v1/account", "account.retrieve", account.retrieve_account, _names("")),
]
OPERATIONS: dict[str, Operation] = {
    route: Operation(name, handler, allowed) for route, name, handler, allowed in _ROUTES
}
NAMES = frozenset(operation.name for operation in OPERATIONS.values())


def route(method: str, path: str) -> tuple[Operation, str] | None:
    """The operation at a path and the id in it ("" if none); None for an unknown endpoint."""
    parts = path.split("/")
    object_id = ""
    if len(parts) > 3:
        object_id, parts[3] = parts[3], "*"
    operation = OPERATIONS.get(f"{method} {'/'.join(parts)}")
    return None if operation is None else (operation, object_id)
