"""Whose code raised an exception: a plug-in's, at this place, or mockd's own."""

from __future__ import annotations

import asyncio
import concurrent.futures
import importlib
import logging
from pathlib import Path
from traceback import walk_tb

from msgspec import Struct

from mockd.config.environment import Filled, hidden
from mockd.errors import MockdError

_RUNNERS = (importlib.__file__, asyncio.__file__, concurrent.futures.__file__)
"""Packages of Python that run what mockd gives them."""
_NOT_PLUG_INS = (str(Path(__file__).parent), *(str(Path(file).parent) for file in _RUNNERS), "<")


class Place(Struct, frozen=True):
    """The place in a plug-in's code where an exception came from: the name of its module, the file and the line."""

    module: str
    file: str
    line: int


def place_of(error: BaseException) -> Place | None:
    """The place in a plug-in from which an exception came, or None if no plug-in ran.

    What a plug-in calls in other packages is not the place: the last line of the plug-in's own folder is.
    """
    places = [
        Place(str(frame.f_globals.get("__name__")), frame.f_code.co_filename, line)
        for frame, line in walk_tb(error.__traceback__)
    ]
    others = [place for place in places if not place.file.startswith(_NOT_PLUG_INS)]
    return next((place for place in reversed(others) if _folder(place) == _folder(others[0])), None)


def _folder(place: Place) -> str:
    return str(Path(place.file).parent)


def told(error: BaseException) -> str:
    """An exception in one line: its type and message, and the place in a plug-in from which it came."""
    text = f"{type(error).__name__}: {error}"
    place = place_of(error)
    return text if place is None else f"{text} ({place.file}:{place.line})"


def log_failure(logger: logging.Logger, mock_id: str | None, error: BaseException, filled: Filled) -> None:
    """Log that the source of a mock has failed. The traceback is logged at the level `debug`, or if the fault is
    mockd's own. The message does not show what the environment gave to the mock; a traceback may."""
    place = place_of(error)
    who = "its source" if place is None else f"plug-in `{place.module}`"
    is_ours = place is None and not isinstance(error, OSError | MockdError)
    with_traceback = is_ours or logger.isEnabledFor(logging.DEBUG)
    text = hidden(told(error), filled)
    logger.error("%s: %s failed: %s", mock_id, who, text, exc_info=error if with_traceback else None)
