"""The limits on the page about security are the limits."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from mockd import expressions
from mockd.config import environment, values, yaml_text
from mockd.lines.protocol import MOST_PIPELINED, MOST_UNFINISHED
from mockd.matching.nearmiss import LONGEST_LIKENED
from mockd.mocks.counters import MOST_COUNTERS
from mockd.patterns import AT_ONCE, LONGEST_PATTERN
from mockd.patterns.dialects import MOST_PARTS
from mockd.patterns.effort import LONGEST_SEARCH_S
from mockd.request import LARGE_BODY, MOST_VALUES
from mockd.server.requests import MOST_LINES
from mockd.server.run import _KEEP_ALIVE_S
from mockd.settings import Settings

PAGE = (Path(__file__).parents[2] / "docs" / "security.md").read_text(encoding="utf-8")
DEFAULTS = Settings()
LIMITS = {
    "`--max-body`": f"{DEFAULTS.max_body // 2**20} MiB",
    "`--max-connections`": "none" if DEFAULTS.max_connections == 0 else str(DEFAULTS.max_connections),
    "`--send-buffer`": f"{DEFAULTS.send_buffer // 2**10} KiB",
    "`--send-timeout`": f"{DEFAULTS.send_timeout:g} s",
    "`--shutdown-timeout`": f"{DEFAULTS.shutdown_timeout:g} s",
    "`--max-sessions`": f"{DEFAULTS.max_sessions:,}",
    "`--max-ended`": f"{DEFAULTS.max_ended:,}",
    "time without a request": f"{_KEEP_ALIVE_S} s",
    "pipelined requests": f"{MOST_PIPELINED}",
    "counters of a mock": f"{MOST_COUNTERS:,}",
    "lines for requests": f"{MOST_LINES} a second",
    "nesting of a configuration": f"{values.MAX_DEPTH} levels",
    "digits of an integer": f"{values.MAX_DIGITS:,}",
    "aliases of a YAML text": f"{yaml_text.MAX_EXPANSION:,}",
    "steps of the expressions": f"{expressions.MOST_STEPS:,}",
    "`--request-timeout`": f"{DEFAULTS.request_timeout:g} s",
    "unfinished head": f"{MOST_UNFINISHED // 2**10} KiB",
    "characters in the tags": f"{expressions.MOST_IN_TAGS:,}",
    "operators in the tags": f"{expressions.MOST_OPERATORS:,}",
    "characters that they make": f"{expressions.MOST_TEXT:,}",
    "characters of a regular expression": f"{LONGEST_PATTERN:,}",
    "parts of one that RE2 does not run": f"{MOST_PARTS:,}",
    "time in which it is searched": f"{LONGEST_SEARCH_S:g} s",
    "values of a JSON body": f"{MOST_VALUES:,}",
    "characters of a path": f"{LONGEST_LIKENED:,}",
}


@pytest.mark.parametrize("what", LIMITS)
def test_the_limits_are_the_limits(what: str) -> None:
    (row,) = [line for line in PAGE.splitlines() if line.startswith("| ") and what in line]
    assert re.split(r",? `|\s*\|", row.split(" | ")[1])[0] == LIMITS[what]


def test_values_that_are_common_words_are_said() -> None:
    words = {4: "four"}
    assert f"fewer than {words[environment.SHORT]} characters" in PAGE


def test_what_is_done_beside_the_streams_is_said() -> None:
    assert (
        f"longer than {AT_ONCE.seconds * 1000:g} ms, or looks into a body of more than {LARGE_BODY // 2**10} KiB"
        in PAGE
    )
