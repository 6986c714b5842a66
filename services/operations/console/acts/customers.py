"""Erasing a customer (services/operations/erasing.py)."""

from __future__ import annotations

from collections.abc import Sequence
from typing import ClassVar

from pydantic import Field, ValidationInfo, field_validator

from services.booking import erasing as booking
from services.operations.console.acts.framework import Act, Doing
from services.operations.console.databases import Databases
from services.operations.console.roles import Role
from services.operations.erasing import STAYS, erase


class Erase(Act):
    """As `bookingctl customer erase`."""

    NAME: ClassVar[str] = "customer-erase"
    TITLE: ClassVar[str] = "Erase the customer"
    ROLE: ClassVar[Role] = Role.MONEY
    NEEDS_PII: ClassVar[bool] = True
    DANGEROUS: ClassVar[bool] = True
    SUBJECT: ClassVar[str] = "customer_id"

    customer_id: str = Field(min_length=1)
    typed: str = Field(title="Type the customer's id", description="to confirm: this can never be taken back")

    @field_validator("typed")
    @classmethod
    def _the_same(cls, typed: str, info: ValidationInfo) -> str:
        if typed.strip() != info.data.get("customer_id"):
            raise ValueError("it is another id than the one to be erased")
        return typed

    async def says(self, databases: Databases) -> str:
        """How many bookings it is about, and what stays."""
        return await what_goes(databases, self.customer_id)

    async def do(self, doing: Doing) -> str:
        """In all services; what is left to do comes last."""
        return "\n".join((await erase(doing.databases.acting, self.customer_id)).sentences())


async def what_goes(databases: Databases, customer_id: str) -> str:
    """A sentence. Raises NotPossible while they have to be reached."""
    async with databases.reading("booking") as connection:
        found = await booking.known(connection, customer_id)
    pays, comes = len(found.pays.bookings), len(found.comes.bookings)
    return (
        f"Name, address and phone of {customer_id} are erased for ever, in {pays} bookings and {comes} where they came "
        f"along with others. {STAYS}"
    )


ACTS: Sequence[type[Act]] = (Erase,)
