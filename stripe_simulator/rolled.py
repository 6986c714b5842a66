"""Secrets of the account that were rolled in its dashboard (`PUT /secrets`)."""

from dataclasses import dataclass, fields

from stripe_simulator.errors import JsonObject, invalid


@dataclass(slots=True)
class Rolled:
    """`api_key`: the one that is good now, and no other is (docs.stripe.com/keys, "Roll an API key", expired at once);
    None: any. `webhook_secret`: what deliveries are signed with from now on; None: the endpoint's first one.
    """

    api_key: str | None = None
    webhook_secret: str | None = None

    def change(self, given: JsonObject) -> None:
        """Take the fields given; those left out stay. Raises 400 for a field or value it does not have."""
        names = {field.name for field in fields(self)}
        for name, value in given.items():
            if name not in names:
                raise invalid(f"Unknown field {name}; known: {', '.join(sorted(names))}.", param=name)
            if value is not None and not isinstance(value, str):
                raise invalid(f"{name} is a string or null.", param=name)
            setattr(self, name, value)

    def reset(self) -> None:
        """As at the start."""
        self.api_key = self.webhook_secret = None
