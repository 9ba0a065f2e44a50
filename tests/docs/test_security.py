"""The limits on the page about security are the limits."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from mockd import expression_values, expressions
from mockd.config import environment, opening, values, yaml_text
from mockd.lines.protocol import MOST_PIPELINED, MOST_UNFINISHED
from mockd.mocks.counters import MOST_COUNTERS
from mockd.server.requests import MOST_LINES
from mockd.server.run import _KEEP_ALIVE_S
from mockd.settings import Settings
from mockd.sources.files import LONGEST_LINE
from mockd.streaming.sessions.resume import MOST_SAID

PAGE = (Path(__file__).parents[2] / "docs" / "security.md").read_text(encoding="utf-8")
DEFAULTS = Settings()
LIMITS = {
    "`--max-body`": f"{DEFAULTS.max_body // 2**20} MiB",
    "`--max-connections`": "none" if DEFAULTS.max_connections == 0 else str(DEFAULTS.max_connections),
    "`--send-buffer`": f"{DEFAULTS.send_buffer // 2**10} KiB",
    "`--send-timeout`": f"{DEFAULTS.send_timeout:g} s",
    "`--shutdown-timeout`": f"{DEFAULTS.shutdown_timeout:g} s",
    "`--max-sessions`": f"{DEFAULTS.max_sessions:,}",
    "characters of requests that these hold": f"{MOST_SAID:,}",
    "`--max-ended`": f"{DEFAULTS.max_ended:,}",
    "time without a request": f"{_KEEP_ALIVE_S} s",
    "pipelined requests": f"{MOST_PIPELINED}",
    "counters of a mock": f"{MOST_COUNTERS:,}",
    "lines for requests": f"{MOST_LINES} a second",
    "bytes of a configuration": f"{opening.MOST_BYTES:,}",
    "bytes of a line": f"{LONGEST_LINE:,}",
    "nesting of a configuration": f"{values.MAX_DEPTH} levels",
    "digits of an integer": f"{values.MAX_DIGITS:,}",
    "aliases of a YAML text": f"{yaml_text.MAX_EXPANSION:,}",
    "steps of the expressions": f"{expressions.MOST_STEPS:,}",
    "`--request-timeout`": f"{DEFAULTS.request_timeout:g} s",
    "unfinished head": f"{MOST_UNFINISHED // 2**10} KiB",
    "characters in the tags": f"{expressions.MOST_IN_TAGS:,}",
    "operators in the tags": f"{expressions.MOST_OPERATORS:,}",
    "characters that they make": f"{expression_values.MOST_TEXT:,}",
    "characters of all values": f"{expression_values.MOST_MADE:,}",
    "characters of all texts with expressions": f"{expressions.MOST_IN_ANSWER:,}",
    "items of a list for filters": f"{expression_values.MOST_ITEMS:,}",
}


@pytest.mark.parametrize("what", LIMITS)
def test_the_limits_are_the_limits(what: str) -> None:
    (row,) = [line for line in PAGE.splitlines() if line.startswith("| ") and what in line]
    assert re.split(r",? `|\s*\|", row.split(" | ")[1])[0] == LIMITS[what]


def test_values_that_are_common_words_are_said() -> None:
    words = {4: "four"}
    assert f"fewer than {words[environment.SHORT]} characters" in PAGE
