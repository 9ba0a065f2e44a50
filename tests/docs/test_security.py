"""The limits on the page about security are all limits that there are."""

from __future__ import annotations

import re
from pathlib import Path

import mockd
from mockd.config import environment
from mockd.patterns import AT_ONCE
from mockd.request import LARGE_BODY
from mockd.settings import describe
from scripts.reference.limits import LIMITS, PAGE

PACKAGE = Path(mockd.__file__).parent
TOLD = [limit.name for limit in LIMITS if limit.name]
NOT_TOLD = {
    "mockd.sources.llm.choosing.criteria:_MOST_SHOWN",
    "mockd.cli.recorded:_MOST_OF_DATA",
    "mockd.cli.recorded:_MOST_ROWS",
    "mockd.fixtures.cassettes:_LONGEST_CASE",
    "mockd.recordings.codings:_MOST_AT_ONCE",
    "mockd.relay.http2:_LONGEST_FRAME",
    "mockd.recordings.comparing:_MOST_SHOWN",
    "mockd.recordings.members:_LONGEST_OPENING",
    "mockd.recordings.needles:_MOST_INSIDE",
    "mockd.recordings.spelling:LONGEST_LETTER",
    "mockd.recordings.spelling:_LONGEST_PART",
    "mockd.faults.wire:MOST_PARTS",
    "mockd.journal.registry:MOST_RECENT",
    "mockd.request:_MOST_DIGITS",
    "mockd.sources.llm.schemas.example:_MOST_NAMES",
    "mockd.sources.llm.schemas.values:_MOST_TRIED",
    "mockd.cli.watch:MOST_UNREAD",
    "mockd.cli.watching.keys:MOST_TYPED",
    "mockd.cli.watching.view:MOST_EVENTS",
    "mockd.config.base:MAX_MS",
    "mockd.config.json_places:MAX_PLACES",
    "mockd.config.values:_MAX_BITS",
    "mockd.cors:_MAX_AGE_S",
    "mockd.errors:MAX_SHOWN",
    "mockd.journal.journal:MOST_KEYS",
    "mockd.journal.lateness:MOST_SAMPLES",
    "mockd.judging.claims:MOST_SAID",
    "mockd.matching.nearmiss:MOST_NAMED",
    "mockd.matching.nearmiss:MOST_SHOWN",
    "mockd.overview:MOST_SHOWN",
    "mockd.placeholders:_MOST_DIGITS",
    "mockd.presets.recordings:_LONGEST_ID",
    "mockd.program.ratelimit:MOST_DROPPED",
    "mockd.program.timetable:MOST_UNROLLED",
    "mockd.server.requests:MOST_OF_A_NAME",
    "mockd.server.requests:MOST_OF_A_REASON",
    "mockd.sources.llm.endpoints.embeddings:MOST_DIMENSIONS",
    "mockd.sources.llm.endpoints.endpoint:_LONGEST_WHOLE",
    "mockd.sources.llm.following:MOST_BYTES",
    "mockd.sources.llm.following:MOST_SOURCES",
    "mockd.sources.llm.wires.gemini:_MOST_CANDIDATES",
    "mockd.sources.llm.wires.gemini:_MOST_DIGITS",
    "mockd.sources.llm.wires.mistral_chat:_MOST_CHOICES",
    "mockd.sources.llm.wires.ollama:_MOST_ALTERNATIVES",
    "mockd.sources.llm.wires.openai:_MOST_TOP_LOGPROBS",
    "mockd.sources.llm.wires.openai_chat:MOST_CHOICES",
    "mockd.sources.llm.wires.openai_completions:_MOST_ALTERNATIVES",
    "mockd.sources.llm.endpoints.rerank:MOST_DOCUMENTS",
    "mockd.sources.llm.wires.openai_stored:_MOST_DIGITS",
    "mockd.sources.llm.wires.openai_stored:_MOST_LISTED",
    "mockd.sources.llm.schemas.example:_MOST_DEPTH",
    "mockd.sources.llm.schemas.pattern:_MOST_MORE",
    "mockd.sources.llm.schemas.pattern:_MOST_TRIES",
    "mockd.sources.llm.schemas.prompts:_MOST_TRIED",
    "mockd.sources.llm.source:_LONGEST_COMPILED",
    "mockd.sources.llm.source:_MOST_COMPILED",
    "mockd.sources.llm.replies.reply:LONGEST_WORD",
    "mockd.sources.llm.source:_MOST_COUNTED",
    "mockd.sources.llm.source:_MOST_LOGPROBS",
    "mockd.sources.recording:LONGEST_EVENT_S",
    "mockd.sources.blocks:_LONGEST_END",
    "mockd.sources.blocks:_MOST_KEPT",
    "mockd.sources.recording:_LONGEST_END",
    "mockd.streaming.calendar:MOST_STALE",
    "mockd.streaming.cursors.session:MOST_LOOKED_AT",
    "mockd.streaming.sessions.buffer:MOST_MADE_AGAIN",
    "mockd.streaming.sessions.session:LONGEST_DROPPED",
    "mockd.torture.shrink:MOST_TRIES",
    "mockd.torture.simpler:MOST_BORDERS",
    "mockd.torture.trial:MOST_PLACES",
}
"""Constants that say how mockd does its own work, how much of a text it shows, or what a provider's real service takes:
they change no answer that someone could miss."""


def named_as_limits() -> set[str]:
    """Every constant whose name says that it is a limit."""
    return {
        f"{'.'.join(('mockd', *path.relative_to(PACKAGE).with_suffix('').parts))}:{name}"
        for path in PACKAGE.rglob("*.py")
        for name in re.findall(
            r"^(_?(?:MOST|MAX|LONGEST|LARGEST)_[A-Z_]+)\b.* = ", path.read_text(encoding="utf-8"), re.MULTILINE
        )
    }


def test_every_constant_that_is_a_limit_is_in_the_table() -> None:
    assert sorted(named_as_limits() - set(TOLD) - NOT_TOLD) == []


def test_no_constant_is_left_out_that_is_in_the_table_or_gone() -> None:
    assert NOT_TOLD - named_as_limits() == NOT_TOLD & set(TOLD) == set()


def test_every_setting_that_is_a_limit_is_in_the_table() -> None:
    settings = {setting.name for setting in describe() if setting.group == "Limits"}
    assert settings - set(TOLD) == set()


def test_no_limit_is_told_twice() -> None:
    assert (len(set(TOLD)), len({limit.what for limit in LIMITS})) == (len(TOLD), len(LIMITS))


def test_values_that_are_common_words_are_said() -> None:
    words = {4: "four"}
    assert f"fewer than {words[environment.SHORT]} characters" in PAGE.read_text(encoding="utf-8")


def test_what_is_done_beside_the_streams_is_said() -> None:
    text = PAGE.read_text(encoding="utf-8")
    said = f"longer than {AT_ONCE.seconds * 1000:g} ms, or looks into a body of more than {LARGE_BODY // 2**10} KiB"
    assert said in " ".join(text.split())
