"""The due times of a list's events, laid out once for all streams that send it."""

from __future__ import annotations

import math
import random
from collections.abc import Callable, Sequence
from itertools import accumulate
from operator import itemgetter

from mockd.events import Event, Fill, Slot, Text
from mockd.framing import Frame, FrameTemplate
from mockd.program.pacing import Pacing

MOST_UNROLLED = 4096
"""Most events in a timetable that repeats its list, which it does until all passes are alike."""
BATCH = 128
"""Most events in one send, so that other streams get their turn."""
BATCH_BYTES = 32 * 1024
_NOT_USED = random.Random(0)


class Lead:
    """The bytes with which frames of a stream begin. They have at least one slot, and are filled in once."""

    __slots__ = ("_form", "_values_of")

    def __init__(self, parts: list[bytes | Slot]) -> None:
        self._form = b"".join([b"%b" if isinstance(part, Slot) else part.replace(b"%", b"%%") for part in parts])
        self._values_of = itemgetter(*[part.name for part in parts if isinstance(part, Slot)])

    def render(self, fill: Fill) -> bytes:
        filled: bytes = self._form % self._values_of(fill.slots)
        return filled


class Timetable:
    """The due times of a script's events, in seconds: in the first pass from the head, in later ones from the last
    event of the pass before. Short lists are repeated, so that one send can carry several passes.

    `counted` holds the number of counted events before each place (None if every event counts once), `ids` the given
    ids (None if there are none). Frames marked in `is_led` begin with `lead`, which is filled in once for each stream.
    """

    __slots__ = ("counted", "first", "frames", "has_holes", "ids", "is_led", "later", "lead", "most")

    def __init__(
        self, frames: list[Frame], events: list[Event], first: list[float] | None, later: list[float] | None
    ) -> None:
        self.lead, self.is_led, self.frames = _split_lead(frames)
        self.first = first
        self.later = later
        self.counted = None
        if not all(event.counted == 1 for event in events):
            self.counted = list(accumulate((event.counted for event in events), initial=0))
        self.ids = [event.id for event in events] if any(event.id is not None for event in events) else None
        self.has_holes = any(isinstance(frame, FrameTemplate) for frame in self.frames)
        self.most = max(1, min(BATCH, BATCH_BYTES // max([1, *map(size_of, frames)])))


def _split_lead(frames: list[Frame]) -> tuple[Lead | None, list[bool], list[Frame]]:
    """The common lead (the first frame with holes, up to its last slot), which frames have it, and the rest of each.

    A chat completion's chunks all begin with the same id, time and model: with that filled in once, the rest has no
    holes. Frames in an envelope have no lead, as the envelope goes around all of their bytes.
    """
    first = next((frame for frame in frames if type(frame) is FrameTemplate), None)
    slots = [place for place, hole in enumerate(first.holes) if isinstance(hole, Slot)] if first else []
    if first is None or not slots:
        return None, [], frames
    size = slots[-1] + 1
    key = _key(first, size)
    lead = [part for part in key if isinstance(part, bytes | Slot)]
    if len(lead) < size:
        return None, [], frames
    is_led = [isinstance(frame, FrameTemplate) and _key(frame, size) == key for frame in frames]
    rest = [_rest(frame, size) if led else frame for frame, led in zip(frames, is_led, strict=True)]
    return Lead(lead), is_led, rest


def _key(frame: FrameTemplate, size: int) -> list[object]:
    return [hole or part for hole, part in zip(frame.holes[:size], frame.parts[:size], strict=True)]


def _rest(frame: Frame, size: int) -> Frame:
    assert isinstance(frame, FrameTemplate)
    parts = frame.parts[size:]
    constant = [part for part in parts if isinstance(part, bytes)]
    return b"".join(constant) if len(constant) == len(parts) else FrameTemplate(parts, frame.holes[size:])


def size_of(frame: Frame) -> int:
    """Size of a frame in bytes, without the values of its holes."""
    parts = frame.parts if isinstance(frame, FrameTemplate) else [frame]
    return sum(len(part) for part in parts if isinstance(part, bytes))


def lay_out(
    events: Sequence[Event], frames: list[Frame], total: float, position_of: Callable[[int], int], pacing: Pacing
) -> Timetable | None:
    """The timetable of a script that sends `total` events. None if its passes differ too much, or if an id has holes.
    `position_of` gives the position in its list for an event of the stream. Not for random pacing."""
    length, times = len(events), 1
    if any(isinstance(event.id, Text) for event in events):
        return None
    if length and total > length:
        period = pacing.period
        times = period // math.gcd(length, period)
        times *= max(1, BATCH // (length * times))
        if length * times > MOST_UNROLLED and times > 1:
            return None
    unrolled = length * times
    if length and position_of(unrolled) and len(pacing.per_event) > unrolled:
        return None  # the second table would not fit the passes after it

    def due(start: int) -> list[float] | None:
        at, table = 0.0, []
        for number in range(start, start + unrolled):
            at = pacing.due_s(number, position_of(number), events[number % length], _NOT_USED, at)
            table.append(at)
        return table if at else None

    first = due(0)
    later = due(unrolled) if total > unrolled else None
    if later is None and first is not None and total > unrolled:
        later = [0.0] * unrolled
    if first is None and later is not None:
        first = [0.0] * unrolled
    return Timetable(frames * times, list(events) * times, first, later)
