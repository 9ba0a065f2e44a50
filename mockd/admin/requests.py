"""Operations on the journal."""

from __future__ import annotations

from typing import Any

from mockd.admin.calls import Call, answer
from mockd.engine import Engine
from mockd.errors import NotFoundError
from mockd.journal.entries import FILTERS, entries, filter_of
from mockd.journal.journal import Journal

LISTED = 100
"""Number of requests that are listed by default."""


async def list_requests(engine: Engine, call: Call) -> Any:
    """List requests, oldest first."""
    journal, fits = journal_of(engine), filter_of(_given(call))
    limit, after = call.count("limit"), call.text("after")
    limit = LISTED if limit is None else limit
    behind = None if after is None else engine.connections.number_of(after)
    requests, dropped = journal.requests(), journal.dropped

    def listed() -> Any:
        fitting = [asked for asked in requests if fits(asked.exchange)]
        if behind is None:
            shown = fitting[max(0, len(fitting) - limit) :]
        else:
            shown = [asked for asked in fitting if asked.exchange.number > behind][:limit]
        chosen = {asked.exchange.number for asked in shown}
        found = entries(requests, lambda asked: asked.exchange.number in chosen, keeps_secrets=keeps_secrets)
        return answer({"requests": list(found), "total": len(fitting), "dropped": dropped})

    keeps_secrets = engine.settings.journal_secrets
    return await engine.serving.apart(listed)


async def get_request(engine: Engine, call: Call) -> Any:
    """Get a request."""
    journal = journal_of(engine)
    requests, found = journal.requests(), journal.find(engine.connections.number_of(call.id))
    if found is None:
        raise NotFoundError(f"Request not found: {call.id}")
    return next(entries(requests, lambda asked: asked is found, keeps_secrets=engine.settings.journal_secrets))


async def forget_requests(engine: Engine, call: Call) -> Any:
    """Forget requests: all, or those that fit."""
    journal, given = journal_of(engine), _given(call)
    forgotten = journal.forget(filter_of(given)) if given else journal.forget_key(None)
    return {"message": "Forgot requests", "forgotten": forgotten}


def journal_of(engine: Engine) -> Journal:
    """The journal. Raises `NotFoundError` if there is none."""
    if engine.journal is None:
        raise NotFoundError("there is no journal, as mockd was started with `--journal 0`")
    return engine.journal


def _given(call: Call) -> dict[str, str]:
    return {name: text for name in FILTERS if (text := call.text(name)) is not None}
