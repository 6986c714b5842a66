"""What differs between Stripe's accounts and API versions, and is chosen at the control port (`PUT /behaviour`)."""

from dataclasses import dataclass, fields

from stripe_simulator.errors import JsonObject, invalid

BASIL = "2025-03-31"
PENDING, REFUSED, OVERDRAWN = "pending", "refused", "overdrawn"


@dataclass(frozen=True, slots=True)
class Behaviour:
    """`releases_are_refunds`: whether the released part of an authorisation is a Refund that counts in
    `amount_refunded`. Before version 2025-03-31.basil it is, from then on it is not (changelog "Partially capturing
    or canceling payments no longer creates a Refund"). None: the request's Stripe-Version decides; what names none,
    like a person in the dashboard or an authorisation that expires, has the account's own version, which is older.

    `refunds_without_balance`: what becomes of a refund that the balance does not cover. `pending` until it does
    (support page "Pending refunds due to insufficient or negative account balance"; `pending_reason`, changelog
    2025-04-30.basil); `refused` above what an account may overdraw, with a 400 that has a `message_code` and no `code`
    (its body stands in Automattic/woocommerce-payments#10025); `overdrawn` where it may, or where Stripe takes the rest
    from the account's bank.
    """

    releases_are_refunds: bool | None = None
    refunds_without_balance: str = PENDING

    def changed(self, given: JsonObject) -> "Behaviour":
        """A copy with the fields given. Raises 400 for a field or value it does not have."""
        values = {field.name: getattr(self, field.name) for field in fields(self)}
        for name, value in given.items():
            if name not in values:
                raise invalid(f"Unknown field {name}; known: {', '.join(values)}.", param=name)
            if name == "releases_are_refunds" and not isinstance(value, bool | None):
                raise invalid("releases_are_refunds is true, false or null.", param=name)
            if name == "refunds_without_balance" and value not in (PENDING, REFUSED, OVERDRAWN):
                raise invalid("refunds_without_balance is pending, refused or overdrawn.", param=name)
            values[name] = value
        return Behaviour(**values)

    def makes_refunds_of_releases(self, api_version: str | None) -> bool:
        """Whether a request of this version, None for one that names none, writes a Refund for what it lets go."""
        if self.releases_are_refunds is not None:
            return self.releases_are_refunds
        return api_version is None or api_version < BASIL

    def shown(self) -> JsonObject:
        """The fields as JSON."""
        return {field.name: getattr(self, field.name) for field in fields(self)}
