"""How the recording of an answer is played."""

# This module does not postpone its annotations: msgspec would have to compile each of them at every start.

from typing import Annotated, Literal

from msgspec import Meta

from mockd.config.base import Config, Milliseconds, Mistake, doc, read_milliseconds
from mockd.config.timing import Timing


class Replay(Config, frozen=True, kw_only=True):
    """How a recording is played: by default, with the times that were recorded."""

    speed: Annotated[float, Meta(gt=0, le=1e6, description="Factor by which it is faster than it was; 0.5: half.")] = 1
    max_gap: Annotated[Milliseconds | None, doc("Longest pause, in milliseconds; longer ones are cut down to it.")] = (
        None
    )
    ttft: Annotated[
        Milliseconds | None, doc("Time, in milliseconds, from the head to the first bytes, instead of what it was.")
    ] = None
    timing: Annotated[
        Literal["recorded", "none"] | Timing,
        doc("`recorded`: the times of the recording. `none`: no pauses. Or pauses as in `timing` of other mocks."),
    ] = "recorded"
    exchange: Annotated[
        int, Meta(ge=1, description="Number of the exchange in the file, if there are several; 1 is the first.")
    ] = 1

    def __post_init__(self) -> None:
        read_milliseconds(self, "max_gap", "ttft")
        if self.timing == "recorded":
            return
        for name, given in (("speed", self.speed != 1), ("maxGap", self.max_gap), ("ttft", self.ttft)):
            if given not in (None, False):
                hint = "it changes the times of the recording, which are not used"
                raise Mistake(f"`{name}` does not go with this `timing`", (name,), hint)

    @property
    def pacing(self) -> Timing:
        """The timing that decides when its events are sent, if the recording does not."""
        return self.timing if isinstance(self.timing, Timing) else Timing()


RECORDING = doc("Source: a recording (`.stream.jsonl`) beside the configuration file, played as it was.")
REPLAY = doc("How the recording is played.")


def check_replay(config: Config, *fields: tuple[str, bool, str]) -> None:
    """Refuse what has no effect beside `recording`: each field with whether it was given, and what to do instead."""
    recording, replay = config.recording, config.replay  # type: ignore[attr-defined]
    if recording is None:
        if replay != Replay():
            raise Mistake("`replay` goes with `recording`", ("replay",))
        return
    for name, is_given, cure in fields:
        if is_given:
            raise Mistake(f"`{name}` does not go with `recording`", (name,), cure)


IN_REPLAY = "say it in `replay.timing`"
IN_CHUNKS = "it is sent in the chunks that were recorded; `framing` changes them"
ONCE = "a recording is one answer"
