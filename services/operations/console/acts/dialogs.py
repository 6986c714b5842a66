"""The two routes of each act: its dialog, and doing it. Both work without JavaScript, as pages of their own."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Annotated, Any

from aiohttp import web
from pydantic import TypeAdapter, ValidationError

from services.chassis.clock import SystemClock
from services.chassis.operator import NotPossible
from services.chassis.problems import Problem
from services.operations.console.access import CSRF
from services.operations.console.acts.framework import Act, Doing, Outcome, Reason, run
from services.operations.console.asked import kept
from services.operations.console.databases import Away
from services.operations.console.reads.views import local
from services.operations.console.rendering import page
from services.operations.console.routes import CLOCK, DATABASES, OPERATOR, Route

SAID = "said"
"""What the dialog said would happen, when it was confirmed: nothing else is done."""
OWN = frozenset({"reason", "back", SAID, CSRF})
"""Fields of the dialog itself."""
LARGEST = 4000
"""Characters of a field that is filled in."""


def routes_of(act: type[Act]) -> Sequence[Route]:
    """GET asks, POST does."""

    async def ask(request: web.Request) -> web.StreamResponse:
        return await _dialog(request, act, {name: kept(value) for name, value in request.query.items()})

    async def do(request: web.Request) -> web.StreamResponse:
        form = {name: kept(text) for name, text in (await request.post()).items() if isinstance(text, str)}
        return await _do(
            request, act, {name: value if name == SAID else value[:LARGEST] for name, value in form.items()}
        )

    path = f"/acts/{act.NAME}"
    return (
        Route("GET", path, ask, act.ROLE, act=act.NAME, pii=act.NEEDS_PII),
        Route("POST", path, do, act.ROLE, act=act.NAME, pii=act.NEEDS_PII),
    )


async def _dialog(
    request: web.Request,
    act: type[Act],
    given: dict[str, str],
    *,
    wrong: str | None = None,
    outcome: Outcome | None = None,
    status: int = 200,
) -> web.Response:
    """What will happen, what is asked, why. `wrong`: a sentence about what was filled in; `outcome`: how it went. What
    was not done is asked once more, with what was typed, where it can still be done."""
    if act.INSTANT is not None:
        given = {**given, act.INSTANT: SystemClock().now().isoformat()}
    fields = _fields(act, given)
    says = None
    if outcome is None or not outcome.done:
        try:
            says = await _named(act, given).sentence(request.app[DATABASES])
        except Problem:
            if wrong is None:
                raise
        except (NotPossible, Away) as refused:
            before = [outcome.said] if outcome is not None and outcome.said != str(refused) else []
            outcome, status = Outcome(False, "\n".join([*before, str(refused)])), 409
    return await page(
        request,
        "act.html",
        status=status,
        headers={"HX-Trigger": "acted"} if outcome is not None and outcome.done else None,
        act=act,
        fields=fields,
        says=says,
        said=given.get(SAID, "").replace("\r\n", "\n"),
        reason=given.get("reason", ""),
        back=_back(given),
        wrong=wrong,
        outcome=outcome,
    )


async def _do(request: web.Request, act: type[Act], given: dict[str, str]) -> web.Response:
    try:
        reason = TypeAdapter(Reason).validate_python(given.get("reason", ""))
    except ValidationError:
        return await _dialog(request, act, given, wrong="Say why, in 3 to 500 characters.", status=422)
    try:
        asked = _whole(act, given)
    except ValidationError as wrong:
        return await _dialog(request, act, given, wrong=_sentence(act, wrong), status=422)
    doing = Doing(
        request.app[DATABASES], request.app[CLOCK], request[OPERATOR], reason, request.app, given.get(SAID, "")
    )
    outcome = await run(asked, doing)
    return await _dialog(request, act, given, outcome=outcome, status=200 if outcome.done else 409)


def _whole(act: type[Act], given: dict[str, str]) -> Act:
    """Fields that are left empty are as if they were not sent."""
    return act.model_validate({name: value for name, value in given.items() if name not in OWN and value != ""})


def _named(act: type[Act], given: dict[str, str]) -> Act:
    """With what the address of the dialog names, while what is asked is still to be filled in. Raises Problem."""
    found = {name: field.get_default() for name, field in act.model_fields.items() if not field.is_required()}
    for name, field in act.model_fields.items():
        if field.title is None and (name in given or field.is_required()):
            kind: Any = Annotated[field.annotation, *field.metadata] if field.metadata else field.annotation
            try:
                found[name] = TypeAdapter(kind).validate_python(given.get(name) or None)
            except ValidationError:
                raise Problem(400, "Bad request", f"{name} in this address is none: go back to the page.") from None
    return act.model_construct(**found)


def _fields(act: type[Act], given: dict[str, str]) -> list[dict[str, Any]]:
    """Those without a title are the address's; those with one are asked, and filled in again after a mistake."""
    schema = act.model_json_schema()
    return [
        {
            "name": name,
            "title": field.title,
            "hint": field.description,
            "hidden": field.title is None,
            "value": given.get(name, ""),
            "required": field.is_required(),
            "is_flag": schema["properties"][name].get("type") == "boolean",
            "choices": schema["properties"][name].get("enum", ()),
        }
        for name, field in act.model_fields.items()
    ]


def _sentence(act: type[Act], wrong: ValidationError) -> str:
    titles = {name: field.title or name for name, field in act.model_fields.items()}
    return "; ".join(f"{titles.get(str(one['loc'][0]), one['loc'][0])}: {one['msg']}" for one in wrong.errors())


def _back(given: dict[str, str]) -> str:
    """The page that it was asked on; a path of ours, never another site."""
    back = given.get("back", "")
    return back if local(back) else ""
