"""Ids by which clients of one mock would get each other's events."""

from __future__ import annotations

from collections.abc import Iterator

from mockd.errors import Problem
from mockd.mocks.registered import Registered
from mockd.program.compile import list_path


def given(mock: Registered) -> Iterator[Problem]:
    """An id that is the same in all streams of a mock that resumes, although their events follow the request."""
    config, source = mock.spec.mock.sse, mock.plan.source.script
    if config is None or source is None or mock.plan.resume is None:
        return
    script = mock.plan.framed(source.framing).compiled(source)
    same = next((place for place, id_ in enumerate(script.ids) if isinstance(id_, str) and id_), None)
    if same is not None and script.follows_request:
        path = list_path(config)
        message = (
            f"id {script.ids[same]!r} is the same for all clients, and the events are not: it resumes none of them"
        )
        hint = "leave the ids out, or let them follow the request too"
        yield Problem(message, (*path, same, "id") if path[-1] == "events" else path, hint)
