"""Parsing the values of options, such as `TYPE:DATA`, into parts of a mock."""

from __future__ import annotations

import re
from typing import Any

import typer

from mockd.config.base import DURATION, MAX_MS
from mockd.config.base import milliseconds as in_milliseconds
from mockd.config.load import parse_text
from mockd.errors import ConfigError

_TYPED = re.compile(r"([A-Za-z_][\w.-]*):(?!//)(.*)", re.DOTALL)


def event(text: str) -> dict[str, Any]:
    """An event from `TYPE:DATA`. Text that does not begin with a type is the data of a plain message."""
    typed = _TYPED.fullmatch(text)
    if typed is None:
        return {"data": payload(text)}
    return {"type": typed[1], "data": payload(typed[2].removeprefix(" "))}


def payload(text: str) -> Any:
    """A payload: the object or array if the text is one in JSON, otherwise the text itself."""
    if text.lstrip()[:1] not in ("{", "["):
        return text
    try:
        return parse_text(text.encode(), source=None, format="json")
    except ConfigError:
        return text


def json_value(text: str, option: str) -> Any:
    """A JSON value. Raises a usage error that says where it is malformed."""
    try:
        return parse_text(text.encode(), source=None, format="json")
    except ConfigError as error:
        raise typer.BadParameter(f"{text!r} is not JSON: {error}", param_hint=option) from None


def parameter(text: str, option: str) -> tuple[str, Any]:
    """A name and its value from `NAME=JSON`. A value that does not look like JSON is text."""
    name, equals, value = text.partition("=")
    if not (name and equals):
        raise typer.BadParameter(f"{text!r} is not NAME=JSON", param_hint=option)
    if value[:1] in ("{", "[", '"'):
        return name, json_value(value, option)
    try:
        return name, parse_text(value.encode(), source=None, format="json")
    except ConfigError:
        return name, value


def header(text: str, option: str) -> tuple[str, str]:
    """A header from `NAME: VALUE`."""
    name, colon, value = text.partition(":")
    if not (name.strip() and colon):
        raise typer.BadParameter(f"{text!r} is not NAME: VALUE", param_hint=option)
    return name.strip(), value.strip()


def query(text: str, option: str) -> tuple[str, str]:
    """A query parameter from `NAME=VALUE` or `NAME:VALUE`."""
    found = re.fullmatch(r"([^=:]+)[=:](.*)", text, re.DOTALL)
    if found is None:
        raise typer.BadParameter(f"{text!r} is not NAME=VALUE", param_hint=option)
    return found[1], found[2]


def span(text: str, option: str) -> dict[str, int]:
    """A range of whole milliseconds from `MIN:MAX`."""
    found = re.fullmatch(r"(\d+):(\d+)", text)
    if found is None:
        raise typer.BadParameter(f"{text!r} is not MIN:MAX in whole milliseconds", param_hint=option)
    return {"min": int(found[1]), "max": int(found[2])}


def rate(text: str, option: str) -> dict[str, float]:
    """A rate limit from `N` or `N:BURST`."""
    found = re.fullmatch(r"(\d+(?:\.\d+)?)(?::(\d+))?", text)
    if found is None:
        raise typer.BadParameter(f"{text!r} is not N or N:BURST (events a second)", param_hint=option)
    limit = {"eventsPerSecond": number(float(found[1]))}
    return {**limit, "burstSize": int(found[2])} if found[2] else limit


def duration(text: str) -> float:
    """Milliseconds, from a number of them or from text with a unit, such as `2s`."""
    try:
        milliseconds = in_milliseconds(text) if re.match(DURATION, text) else float(text)
    except ValueError:
        milliseconds = -1
    if not 0 <= milliseconds <= MAX_MS:
        raise typer.BadParameter(f"{text!r} is neither a number of milliseconds nor text such as 500ms or 2s")
    return milliseconds


def keepalive(milliseconds: float, option: str) -> float:
    """The keepalive interval in seconds, from milliseconds on the command line."""
    if 0 < milliseconds < 5000:
        raise typer.BadParameter(
            f"{number(milliseconds)} ms is too short: 0 (off) or at least 5000; the value is in milliseconds",
            param_hint=option,
        )
    return number(milliseconds / 1000)


def number(value: float) -> float:
    """The same number, as an integer if it is whole, so that it is written without `.0`."""
    return int(value) if value.is_integer() else value
