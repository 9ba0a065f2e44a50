"""Texts and numbers that are valid against a JSON schema."""

from __future__ import annotations

import math
import random
import re
from fractions import Fraction
from typing import Any

_MOST_CHARACTERS = 100_000
"""Most characters of a text, whatever the schema demands."""
_ATTEMPTS = 20


class Impossible(Exception):
    """No valid value exists, or none was found. The message has the reason."""


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


def make_text(schema: dict[str, Any], number: int = 0) -> str:
    """A text for a schema. Different values of `number` give different texts if possible. Raises `Impossible`."""
    least = _size(schema.get("minLength"), 0)
    most = _size(schema.get("maxLength"), _MOST_CHARACTERS)
    if least > min(most, _MOST_CHARACTERS):
        raise Impossible(f"a text of at least {least} and at most {most} characters")
    if isinstance(pattern := schema.get("pattern"), str):
        return _matching(pattern, least, most, number)
    form = FORMATS.get(schema.get("format", "")) if isinstance(schema.get("format"), str) else None
    if form is not None and least <= len(text := form.format(number % 28 + 1)) <= most:
        return text
    text = "text" if number == 0 else f"text{number + 1}"
    if len(text) > most:
        # Texts differ at their end.
        return text[len(text) - most :]
    return text + "." * (least - len(text))


def _size(value: Any, default: int) -> int:
    return int(value) if isinstance(value, int | float) and value >= 0 else default


class _Least(random.Random):
    """A random generator that draws the smallest integers, so that a text repeats nothing more often than it must."""

    def randint(self, a: int, b: int) -> int:
        return a


def _matching(pattern: str, least: int, most: int, number: int) -> str:
    """A text in which a regular expression matches."""
    # Imported here, as few requests have a pattern.
    from rstr import Rstr

    _refuse_large(pattern)
    try:
        search = re.compile(pattern).search
        for attempt in range(_ATTEMPTS):
            seed = number * _ATTEMPTS + attempt
            rng = _Least(seed) if attempt == 0 else random.Random(seed)
            text = str(Rstr(rng).xeger(pattern))
            if least <= len(text) <= most and search(text):
                return text
    except (re.error, KeyError, ValueError, IndexError, RecursionError, OverflowError) as error:
        raise Impossible(f"the pattern {pattern!r} is not understood: {error}") from None
    raise Impossible(f"no text of {least} to {most} characters was found for the pattern {pattern!r}")


def _refuse_large(pattern: str) -> None:
    repeats = math.prod(int(most[:9]) or 1 for most in re.findall(r"\{(?:\d*,)?(\d+),?\}", pattern))
    nested = 100 ** len(re.findall(r"\)[*+]|\)\{\d*,\}", pattern))
    if repeats * nested > 10**5:
        raise Impossible(f"the pattern {pattern!r} repeats too much")


def make_number(schema: dict[str, Any], number: int = 0, *, whole: bool) -> int | float:
    """A number for a schema. Different values of `number` give different results if possible. Raises `Impossible`."""
    low, high = _bound(schema, "minimum", max), _bound(schema, "maximum", min)
    step = _step(schema.get("multipleOf"), whole)
    value = _between(low, high, number) if step is None else _multiple(step, low, high, number)
    return int(value) if value.denominator == 1 and (whole or abs(value) < 2**53) else float(value)


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
    if last is not None:
        return step * (first + number % (last - first + 1))
    return step * (first + number)


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
