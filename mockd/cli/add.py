"""`mockd add`, which makes a mock from options."""

from __future__ import annotations

import functools
import inspect
from collections.abc import Callable
from typing import Annotated, Any

import typer

from mockd.cli.flags import GROUPS, Flags, mock_of
from mockd.cli.help import grouped
from mockd.cli.output import note
from mockd.cli.session import Session, connected, options
from mockd.cli.summary import summary


def _flagged(command: Callable[[Session, Flags, bool, str | None], None]) -> Callable[..., None]:
    """Give a command the fields of `Flags` as options."""

    def run(session: Session, *, allow_duplicate: bool, key: str | None, **given: Any) -> None:
        command(session, Flags(**given), allow_duplicate, key)

    functools.update_wrapper(run, command)
    own = inspect.signature(command, eval_str=True).parameters
    more = [own[name].replace(kind=inspect.Parameter.KEYWORD_ONLY) for name in ("allow_duplicate", "key")]
    parameters = [own["session"], *grouped(options(Flags), GROUPS), *more]
    run.__signature__ = inspect.Signature(parameters)  # type: ignore[attr-defined]
    return run


@connected
@_flagged
def add(
    session: Session,
    flags: Flags,
    allow_duplicate: Annotated[
        bool, typer.Option("--allow-duplicate", help="Add it even if there is such a mock.")
    ] = False,
    key: Annotated[
        str | None, typer.Option("--key", metavar="KEY", help="Add it for requests of this key alone.")
    ] = None,
) -> None:
    """Add a mock, or replace that with the same matcher and state."""
    mock = mock_of(flags)
    answer = _create(session, mock, key) if allow_duplicate else _create_or_replace(session, mock, key)
    _hint(answer["mock"])
    session.answer(_document(answer), lambda: _say(answer, key))


def _create(session: Session, mock: dict[str, Any], key: str | None) -> dict[str, Any]:
    answer: dict[str, Any] = session.admin.create_mock(mock, key=key)
    return answer


def _create_or_replace(session: Session, mock: dict[str, Any], key: str | None) -> dict[str, Any]:
    """Replace the mock that has the same matcher and the same states, among those of the key, or create the mock if
    there is none.

    If the new mock has an ID of its own, it replaces the old ID too. If that ID belongs to a mock with another
    matcher, the server reports a conflict.
    """
    wanted = _identity(mock)
    mocks = session.admin.list_mocks(key=key)["mocks"]
    equal = [other["id"] for other in mocks if _identity(other) == wanted]
    wanted_id: Any = mock.get("id")
    if not equal:
        return _create(session, mock, key)
    # If several have this matcher, the one added last answers.
    old_id: str = wanted_id if wanted_id in equal else equal[-1]
    if wanted_id in (None, old_id):
        answer: dict[str, Any] = session.admin.replace_mock(old_id, mock, key=key)
        return answer
    answer = _create(session, mock, key)
    session.admin.delete_mock(old_id, key=key)
    return {**answer, "action": "updated", "message": f"Replaced mock {old_id} by {answer['id']}"}


def _identity(mock: dict[str, Any]) -> tuple[dict[str, Any], object]:
    """What tells a mock from others: its matcher in a normal form, in which those that differ only in case or in empty
    criteria are equal, and the states of a scenario in which it matches."""
    given = {name: value for name, value in mock["matcher"].items() if value not in (None, {})}
    if "method" in given:
        given["method"] = given["method"].upper()
    if "headers" in given:
        given["headers"] = {name.lower(): value for name, value in given["headers"].items()}
    scenario = mock.get("scenario") or {}
    when = scenario.get("when") or []
    states = {when} if isinstance(when, str) else set(when)
    return given, (scenario["name"], states) if states else None


def _hint(mock: dict[str, Any]) -> None:
    events = mock.get("sse", {}).get("events") or []
    if any(event.get("type") == "data" for event in events):
        note(
            "Note: an event of type `data` reaches listeners for `data`, not `onmessage`; "
            "for a plain message leave the type out."
        )


def _document(answer: dict[str, Any]) -> dict[str, Any]:
    matcher = answer["mock"]["matcher"]
    place = {name: matcher[name] for name in ("method", "path", "pathPattern") if name in matcher}
    warnings = {name: answer[name] for name in ("warnings",) if name in answer}
    return {"id": answer["id"], "action": answer["action"], **place, "mock": answer["mock"], **warnings}


def _say(answer: dict[str, Any], key: str | None) -> None:
    mock = answer["mock"]
    matcher = mock["matcher"]
    print(f"{answer['action'].capitalize()} mock: {answer['id']}")
    print(f"  Method: {matcher.get('method', 'any')}")
    print(f"  Path:   {matcher.get('path') or matcher.get('pathPattern')}")
    print(f"  Answer: {summary(mock)}")
    if key:
        print(f"  Key:    {key}")
