"""Ids by which clients of one mock would get each other's events."""

from __future__ import annotations

from collections.abc import Iterator

from mockd.config.models import SseConfig
from mockd.errors import Problem
from mockd.mocks.checks.answer import CheckedAnswer
from mockd.program.compile import list_path


def given(answer: CheckedAnswer) -> Iterator[Problem]:
    """An id that is the same in all streams of an answer that resumes, although their events are not."""
    config, script = answer.config, answer.script
    if not isinstance(config, SseConfig) or script is None or answer.plan.resume is None or script.is_same:
        return
    same = next((place for place, id_ in enumerate(script.ids) if isinstance(id_, str) and id_), None)
    if same is None:
        return
    message = f"id {script.ids[same]!r} is the same for all clients, and the events are not: "
    if script.follows_request:
        message += "it resumes none of them"
        hint = "leave the ids out, or let them follow the request too"
    else:
        message += "once two have it, it resumes none of them"
        hint = "leave the ids out, or give a `seed`, which makes all but the time the same"
    path = list_path(config)
    yield Problem(message, (*path, same, "id") if path[-1] == "events" else path, hint)
