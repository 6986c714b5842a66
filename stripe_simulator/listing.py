"""Stripe's lists: newest first, filtered by `created`, paged by cursors (page "Pagination")."""

from bisect import bisect_left, bisect_right
from collections.abc import Callable, Iterator, Sequence
from typing import TypeVar

from stripe_simulator.account_objects import Resource
from stripe_simulator.errors import JsonObject, invalid, no_such
from stripe_simulator.form import Params

R = TypeVar("R", bound=Resource)
PAGING = frozenset({"created", "ending_before", "expand", "limit", "starting_after"})


def page(rows: Sequence[R], params: Params, url: str, keep: Callable[[R], bool] = lambda row: True) -> JsonObject:
    """One page of `rows` (which are oldest first), as {object: list, data, has_more, url}.

    Raises 400 for a limit outside 1–100 and for a cursor that names no row.
    """
    limit = _limit(params)
    first, end = _created_bounds(rows, params)
    after, before = params.text("starting_after"), params.text("ending_before")
    if after is not None:
        end = min(end, _position(rows, after, "starting_after"))
    backwards = before is not None and after is None
    if before is not None:
        first = max(first, _position(rows, before, "ending_before") + 1)
    span = range(first, end) if backwards else range(end - 1, first - 1, -1)
    found = _take(rows, span, keep, limit + 1)
    shown = found[:limit]
    if backwards:
        shown.reverse()
    data = [row.render() for row in shown]
    return {"object": "list", "data": data, "has_more": len(found) > limit, "url": url}


def _take(rows: Sequence[R], span: range, keep: Callable[[R], bool], most: int) -> list[R]:
    def matching() -> Iterator[R]:
        for position in span:
            if keep(rows[position]):
                yield rows[position]

    return [row for row, _ in zip(matching(), range(most), strict=False)]


def _limit(params: Params) -> int:
    limit = params.integer("limit")
    if limit is None:
        return 10
    if not 1 <= limit <= 100:
        bound = "less than or equal to 100" if limit > 100 else "greater than or equal to 1"
        message = f"This value must be {bound}."
        raise invalid(message, param="limit", code="parameter_invalid_integer")
    return limit


def _created_bounds(rows: Sequence[R], params: Params) -> tuple[int, int]:
    """The half-open range of positions that the `created` filter leaves."""
    given = params.form.get("created")
    if given is None:
        return 0, len(rows)
    if isinstance(given, str):
        exact = params.integer("created")
        low, high = exact, exact
    else:
        bounds = params.nested("created")
        bounds.refuse_unknown({"gt", "gte", "lt", "lte"})
        above, below = bounds.integer("gt"), bounds.integer("lt")
        low = above + 1 if above is not None else bounds.integer("gte")
        high = below - 1 if below is not None else bounds.integer("lte")
    first = 0 if low is None else bisect_left(rows, low, key=_created)
    end = len(rows) if high is None else bisect_right(rows, high, key=_created)
    return first, end


def _created(row: Resource) -> int:
    return row.created


def _identity(row: Resource) -> str:
    return row.id


def _position(rows: Sequence[R], cursor: str, param: str) -> int:
    position = bisect_left(rows, cursor, key=_identity)
    if position == len(rows) or rows[position].id != cursor:
        raise no_such("object", cursor, param=param)
    return position
