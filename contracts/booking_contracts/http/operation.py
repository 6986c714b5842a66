"""One thing that a service can be asked over HTTP, and the kinds of models that it is asked and answered with."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field

from booking_contracts.problems import ProblemKind
from booking_contracts.types import Fact, Id

Scope = Literal["read:bookings", "read:money", "client-secret", "webhooks:write"]
"""What a token needs for a path. `read:pii` opens no path: it shows more of some."""
MOST_PAGE, PAGE = 200, 100
"""Items of a list at most, and where a request names no limit."""


class Answer(Fact):
    """A body of a service; who reads it ignores fields that they do not know. Instants are RFC 3339, in UTC."""


class Parameters(BaseModel):
    """What path and query of a request say. What is named in the path stands there, the rest in the query.

    A parameter that is unknown, or comes twice where it is no list, is refused.
    """

    model_config = ConfigDict(extra="forbid", frozen=True, populate_by_name=True)


class ById(Parameters):
    """What is asked about."""

    id: Id


class Paged(Parameters):
    """A list is asked for page by page."""

    limit: Annotated[int, Field(ge=1, le=MOST_PAGE, description="Items of a page, at most.")] = PAGE
    cursor: Annotated[
        str | None,
        Field(description="The `next` of the page before, unchanged, of the same list; without it, the first page."),
    ] = None


class Page(Answer):
    """A part of a list."""

    next: Annotated[str | None, Field(description="The `cursor` of the page that follows; null where none does.")]


class Amount(Answer):
    """Money in minor units (cents) of an ISO 4217 currency; where money was taken back, below zero."""

    amount: int
    currency: str


@dataclass(frozen=True, slots=True)
class Operation:
    """A path with its method; `name` is the operationId that generated clients call it by.

    `answer` is the body of a 200, or the media type of one that is no JSON object of ours. `problems` are the refusals
    beside those that every path has, and beside those that come with a scope.
    """

    name: str
    path: str
    summary: str
    answer: type[BaseModel] | str
    scope: Scope | None = None
    parameters: type[Parameters] | None = None
    problems: tuple[ProblemKind, ...] = ()
    description: str = ""
    method: Literal["get", "post", "delete"] = "get"
    headers: tuple[str, ...] = ()
    """Without which it is refused."""
    body: type[BaseModel] | None = None
    """What a post sends, where it is ours to say."""
    sent: str = "application/json"
    """The media type of what is posted."""

    @property
    def refusals(self) -> tuple[ProblemKind, ...]:
        """Every kind of problem that it may be answered with."""
        of_scope = (ProblemKind.BAD_REQUEST, ProblemKind.UNAUTHORIZED, ProblemKind.FORBIDDEN, ProblemKind.UNAVAILABLE)
        found = {*self.problems, *(of_scope if self.scope else ()), ProblemKind.INTERNAL_ERROR}
        return tuple(kind for kind in ProblemKind if kind in found)
