"""Texts and numbers that are valid against a JSON schema."""

from __future__ import annotations

import math
from fractions import Fraction
from typing import Any

from mockd.sources.llm.budget import Budget
from mockd.sources.llm.schemas.pattern import Impossible, matching_text

FORMATS = {
    "date-time": "2025-01-{:02}T09:30:00Z",
    "date": "2025-01-{:02}",
    "time": "09:30:{:02}Z",
    "duration": "P{}D",
    "email": "user{}@example.com",
    "idn-email": "user{}@example.com",
    "hostname": "host{}.example.com",
    "idn-hostname": "host{}.example.com",
    "ipv4": "192.0.2.{}",
    "ipv6": "2001:db8::{}",
    "uri": "https://example.com/{}",
    "uri-reference": "/{}",
    "iri": "https://example.com/{}",
    "iri-reference": "/{}",
    "uri-template": "https://example.com/{{id}}/{}",
    "uuid": "3f2b8c1e-5d4a-4f6b-9c7d-0000000000{:02}",
    "json-pointer": "/{}",
    "relative-json-pointer": "{}",
    "regex": "a{{{}}}",
}
"""A text for each format, with a placeholder for a number from 1 to 28."""


_MOST_TRIED = 16
"""Most multiples that are tried until one suits the clients."""


def make_text(schema: dict[str, Any], number: int, budget: Budget) -> str:
    """A text for a schema. Different values of `number` give different texts if possible. Raises `Impossible` and
    `Refused`."""
    least, most = _size(schema.get("minLength"), 0), _size(schema.get("maxLength"), math.inf)
    if least > most:
        raise Impossible(f"a text of at least {least} and at most {most} characters")
    budget.spend(characters=least)
    text = _text(schema, int(least), most, number, budget)
    budget.spend(characters=len(text) - least)
    return text


def _text(schema: dict[str, Any], least: int, most: float, number: int, budget: Budget) -> str:
    if isinstance(pattern := schema.get("pattern"), str):
        return matching_text(pattern, least, most, number, budget)
    form = FORMATS.get(schema.get("format", "")) if isinstance(schema.get("format"), str) else None
    if form is not None and least <= len(text := form.format(number % 28 + 1)) <= most:
        return text
    text = "text" if number == 0 else f"text{number + 1}"
    if len(text) > most:
        # Texts differ at their end.
        return text[len(text) - int(most) :]
    return text + "." * (least - len(text))


def _size(value: Any, default: float) -> float:
    return math.floor(value) if isinstance(value, int | float) and value >= 0 else default


def make_number(schema: dict[str, Any], number: int = 0, *, whole: bool) -> int | float:
    """A number for a schema. Different values of `number` give different results if possible. Raises `Impossible`."""
    low, high = _bound(schema, "minimum", max), _bound(schema, "maximum", min)
    step = _step(schema.get("multipleOf"), whole)
    value = _between(low, high, number) if step is None else _multiple(step, low, high, number)
    is_exact = value.denominator == 1 and abs(value) < (2**63 if whole else 2**53)
    return int(value) if is_exact else float(value)


class _Bound:
    """An end of a range. `is_open` is true if the end itself is outside the range."""

    def __init__(self, value: Fraction, is_open: bool) -> None:
        self.value = value
        self.is_open = is_open


def _bound(schema: dict[str, Any], key: str, tighter: Any) -> _Bound | None:
    open_key = "exclusive" + key.capitalize()
    closed, open_ = schema.get(key), schema.get(open_key)
    if open_ is True:  # the form before 2019
        closed, open_ = None, closed
    found = [
        _Bound(Fraction(str(value)), is_open)
        for value, is_open in ((closed, False), (open_, True))
        if isinstance(value, int | float) and not isinstance(value, bool) and math.isfinite(value)
    ]
    if not found:
        return None
    tightest = tighter(bound.value for bound in found)
    return _Bound(tightest, any(bound.is_open for bound in found if bound.value == tightest))


def _step(multiple: Any, whole: bool) -> Fraction | None:
    given = Fraction(str(multiple)) if isinstance(multiple, int | float) and multiple > 0 else None
    if given is None:
        return Fraction(1) if whole else None
    # The least common multiple of 1 and the step is the step's numerator.
    return Fraction(given.numerator) if whole else given


def _multiple(step: Fraction, low: _Bound | None, high: _Bound | None, number: int) -> Fraction:
    first = last = None
    if low is not None:
        first = math.ceil(low.value / step) + (low.is_open and low.value % step == 0)
    if high is not None:
        last = math.floor(high.value / step) - (high.is_open and high.value % step == 0)
    if first is not None and last is not None and first > last:
        raise Impossible("no number is within its bounds")
    if first is None:
        first = 1 if last is None or last >= 1 else last - number
    count = None if last is None else last - first + 1
    places = range(number, number + min(_MOST_TRIED, count or _MOST_TRIED))
    found = [step * (first + (place % count if count else place)) for place in places]
    return next((value for value in found if _is_multiple(value, step)), found[0])


def _is_multiple(value: Fraction, step: Fraction) -> bool:
    """Whether a number is a multiple by the division of floats too, as most clients check it."""
    try:
        return (float(value) / float(step)).is_integer()
    except (OverflowError, ZeroDivisionError):
        return False


def _between(low: _Bound | None, high: _Bound | None, number: int) -> Fraction:
    if low is not None and high is not None:
        if low.value > high.value or (low.value == high.value and (low.is_open or high.is_open)):
            raise Impossible("no number is within its bounds")
        return low.value + (high.value - low.value) / (number + 2)
    if low is not None:
        return low.value + number + (1 if low.is_open else 0)
    if high is not None:
        return high.value - number - 1
    return Fraction(2 * number + 3, 2)
