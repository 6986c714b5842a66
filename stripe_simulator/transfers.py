"""Transfers to connected accounts and their reversals (page "Create separate charges and transfers")."""

from stripe_simulator.currencies import check_steps, currency_code, money
from stripe_simulator.errors import JsonObject, invalid, no_such, refused
from stripe_simulator.form import Params
from stripe_simulator.listing import page
from stripe_simulator.transfer_objects import Reversal, Transfer
from stripe_simulator.world import World

CLOSED = "closed"
NO_CAPABILITY = (
    "Your destination account needs to have at least one of the following capabilities enabled: transfers, "
    "crypto_transfers, legacy_payments"
)
NO_FUNDS = (
    "You have insufficient available funds in your Stripe account. One likely reason you have insufficient "
    "funds is "
    "that your funds are automatically being paid out."
)


def create_transfer(world: World, object_id: str, params: Params) -> JsonObject:
    """Move money from the balance, or from one captured charge, to a connected account.

    Raises balance_insufficient, insufficient_capabilities_for_transfer (closed account), resource_missing.
    """
    params.required("amount")
    amount = _positive(params) or 0
    currency = currency_code(params.required("currency"))
    check_steps(amount, currency)
    destination = params.required("destination")
    source, metadata = params.text("source_transaction"), params.metadata()
    if not destination.startswith("acct_"):
        raise no_such("destination", destination, param="destination")
    if CLOSED in destination:
        raise refused(NO_CAPABILITY, code="insufficient_capabilities_for_transfer")
    if source is not None:
        _check_source(world, source, amount, currency)
        world.transferred[source] += amount
    elif world.balance[currency] < amount:
        raise refused(NO_FUNDS, code="balance_insufficient")
    transfer = Transfer(
        id=world.new_id("tr"),
        created=world.now(),
        amount=amount,
        currency=currency,
        destination=destination,
        destination_payment=world.new_id("py"),
        source_transaction=source,
        transfer_group=params.text("transfer_group"),
        description=params.text("description"),
        metadata=metadata,
    )
    world.transfers.add(transfer)
    transfer.balance_transaction = world.move("transfer", -amount, currency, transfer.id).id
    world.emit("transfer.created", transfer, transfer.id)
    return transfer.render()


def retrieve_transfer(world: World, object_id: str, params: Params) -> JsonObject:
    return world.transfers.at_path(object_id, "transfer").render()


def update_transfer(world: World, object_id: str, params: Params) -> JsonObject:
    transfer = world.transfers.at_path(object_id, "transfer")
    transfer.metadata = params.metadata(transfer.metadata)
    transfer.description = params.text("description") or transfer.description
    return transfer.render()


def list_transfers(world: World, object_id: str, params: Params) -> JsonObject:
    group, destination = params.text("transfer_group"), params.text("destination")
    return page(
        world.transfers.rows,
        params,
        "/v1/transfers",
        lambda row: group in (None, row.transfer_group) and destination in (None, row.destination),
    )


def create_reversal(world: World, object_id: str, params: Params) -> JsonObject:
    """Take back all that is left of a transfer, or a part. Raises 400 above what is left."""
    amount, metadata = _positive(params), params.metadata()
    transfer = world.transfers.at_path(object_id, "transfer")
    left = transfer.amount - transfer.amount_reversed
    if left == 0:
        raise refused(f"Transfer {transfer.id} has already been fully reversed.", code="transfer_already_reversed")
    if amount is not None and amount > left:
        raise refused(
            f"Transfer reversal amount ({money(amount, transfer.currency)}) is greater than unreversed "
            "amount on "
            f"transfer ({money(left, transfer.currency)})",
            code="amount_too_large",
            param="amount",
        )
    reversed_amount = left if amount is None else amount
    reversal = Reversal(world.new_id("trr"), world.now(), reversed_amount, transfer.currency, transfer.id, metadata)
    moved = world.move("reversal", reversed_amount, transfer.currency, transfer.id)
    reversal.balance_transaction = moved.id
    transfer.amount_reversed += reversed_amount
    transfer.reversals = (*transfer.reversals, reversal)
    if transfer.source_transaction is not None:
        world.transferred[transfer.source_transaction] -= reversed_amount
    world.emit("transfer.reversed", transfer, transfer.id)
    return reversal.render()


def list_reversals(world: World, object_id: str, params: Params) -> JsonObject:
    transfer = world.transfers.at_path(object_id, "transfer")
    return page(transfer.reversals, params, f"/v1/transfers/{object_id}/reversals")


def _positive(params: Params) -> int | None:
    amount = params.integer("amount")
    if amount is not None and amount < 1:
        message = "This value must be greater than or equal to 1."
        raise invalid(message, param="amount", code="parameter_invalid_integer")
    return amount


def _check_source(world: World, source: str, amount_minor: int, currency: str) -> None:
    charge = world.charges.find(source)
    if charge is None:
        raise no_such("charge", source, param="source_transaction")
    if not charge.captured:
        message = f"Charge {source} has not been captured: it cannot be the source of a transfer."
        raise refused(message, code="charge_not_captured", param="source_transaction")
    if charge.currency != currency:
        message = f"The currency of source_transaction ({charge.currency}) must be {currency}."
        raise refused(message, code="transfer_source_balance_parameters_mismatch", param="source_transaction")
    earlier = world.transferred[source]
    if earlier + amount_minor > charge.amount_captured:
        raise refused(
            "Transfers using this transaction as a source must not exceed the source amount of "
            f"{money(charge.amount_captured, currency)}. (There is already a transfer using this source, "
            "amounting "
            f"to {money(earlier, currency)}.)",
            code="balance_insufficient",
            param="source_transaction",
        )
