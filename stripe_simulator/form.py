"""Form bodies and query strings with nested brackets, and typed access to their parameters."""

from collections.abc import Set
from typing import TypeAlias, Union
from urllib.parse import parse_qsl

from stripe_simulator.errors import invalid, missing

FormValue: TypeAlias = Union[str, "Form"]
Form: TypeAlias = dict[str, FormValue]
MOST_METADATA_KEYS, LONGEST_METADATA_KEY, LONGEST_METADATA_VALUE = 50, 40, 500
"""Page "Metadata"."""


def decode(encoded: bytes) -> Form:
    """`a[b]=1&c[]=2` becomes {"a": {"b": "1"}, "c": {"0": "2"}}: lists are dicts keyed by position."""
    form: Form = {}
    if not encoded:
        return form
    for name, value in parse_qsl(encoded.decode("utf-8", "replace"), keep_blank_values=True):
        if "[" in name:
            _place(form, name, value)
        else:
            form[name] = value
    return form


def _place(form: Form, name: str, value: str) -> None:
    head, *rest = name.split("[")
    keys = [head, *(part.removesuffix("]") for part in rest)]
    place = form
    for key in keys[:-1]:
        inner = place.get(key)
        if not isinstance(inner, dict):
            inner = place[key] = {}
        place = inner
    place[keys[-1] or str(len(place))] = value


def as_json(value: FormValue) -> object:
    """The value with positional dicts turned into lists, for display."""
    if isinstance(value, str):
        return value
    if value and all(key == str(position) for position, key in enumerate(value)):
        return [as_json(item) for item in value.values()]
    return {key: as_json(item) for key, item in value.items()}


class Params:
    """The parameters of one request. Every getter raises Stripe's 400 for a value it cannot read."""

    __slots__ = ("form",)

    def __init__(self, form: Form) -> None:
        self.form = form

    def refuse_unknown(self, allowed: Set[str]) -> None:
        """Raise `parameter_unknown` for the first parameter that the endpoint does not have.

        `payment_method_types`, gone since 2026-09-30.endive, has a code of its own (changelog "Removes the
        payment method types parameter from Payment Intents and Setup Intents").
        """
        for name in self.form:
            if name == "payment_method_types":
                message = "payment_method_types is no longer supported: send allowed_payment_method_types."
                raise invalid(message, param=name, code="payment_method_types_no_longer_supported")
            if name not in allowed:
                raise invalid(f"Received unknown parameter: {name}", param=name, code="parameter_unknown")

    def text(self, name: str) -> str | None:
        value = self.form.get(name)
        if isinstance(value, dict):
            raise invalid("Invalid string: {...}", param=name)
        return value

    def required(self, name: str) -> str:
        value = self.text(name)
        if value is None:
            raise missing(name)
        if value == "":
            message = f"You passed an empty string for '{name}'. We assume empty values are an attempt to unset."
            raise invalid(message, param=name, code="parameter_invalid_empty")
        return value

    def integer(self, name: str) -> int | None:
        value = self.text(name)
        if value is None:
            return None
        try:
            return int(value)
        except ValueError:
            raise invalid(f"Invalid integer: {value}", param=name, code="parameter_invalid_integer") from None

    def boolean(self, name: str) -> bool:
        """False when left out."""
        value = self.text(name)
        if value in (None, "false"):
            return False
        if value == "true":
            return True
        raise invalid(f"Invalid boolean: {value}", param=name)

    def choice(self, name: str, allowed: tuple[str, ...]) -> str | None:
        value = self.text(name)
        if value is not None and value not in allowed:
            names = ", ".join(allowed[:-1]) + f", or {allowed[-1]}" if len(allowed) > 1 else allowed[0]
            raise invalid(f"Invalid {name}: must be one of {names}", param=name)
        return value

    def names(self, name: str) -> list[str]:
        """A list of strings; empty when left out."""
        value = self.form.get(name, {})
        if isinstance(value, str):
            raise invalid("Invalid array", param=name)
        return [item for item in value.values() if isinstance(item, str)]

    def nested(self, name: str) -> "Params":
        """The parameters under `name`; none when left out."""
        value = self.form.get(name, {})
        if isinstance(value, str):
            raise invalid(f"Invalid object: {value}", param=name)
        return Params(value)

    def metadata(self, current: dict[str, str] | None = None) -> dict[str, str]:
        """`current` merged with the metadata sent: an empty value removes its key ("Metadata")."""
        merged = dict(current or {})
        sent = self.form.get("metadata", {})
        if isinstance(sent, str):
            if sent:
                raise invalid("Invalid object", param="metadata")
            return {}
        for key, value in sent.items():
            if isinstance(value, dict):
                raise invalid("Metadata values must be strings", param=f"metadata[{key}]")
            _check_length("keys", "key", key, LONGEST_METADATA_KEY)
            _check_length("values", "value", value, LONGEST_METADATA_VALUE, f"metadata[{key}]")
            if value:
                merged[key] = value
            else:
                merged.pop(key, None)
        if len(merged) > MOST_METADATA_KEYS:
            raise invalid(f"Metadata can hold up to {MOST_METADATA_KEYS} keys", param="metadata")
        return merged


def _check_length(plural: str, singular: str, text: str, most: int, param: str = "metadata") -> None:
    if len(text) > most:
        message = (
            f"Metadata {plural} can have up to {most} characters, but you passed in a {singular} that is {len(text)} "
            f"characters. Invalid {singular}: {text}"
        )
        raise invalid(message, param=param)
