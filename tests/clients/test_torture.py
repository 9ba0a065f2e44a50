"""Readers in use, under torture: which forms of a stream each gets wrong, and that what is saved shows it by itself."""

from __future__ import annotations

import shutil
import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest

from mockd.config.load import load_paths
from mockd.testing import running_mockd
from mockd.torture.compare import DEFAULT_WAYS
from mockd.torture.marks import PLAIN
from mockd.torture.torture import Order, Outcome, torture
from mockd.torture.trial import Verdict
from mockd.torture.variants import Variant
from tests.clients import node_packages
from tests.programs import program

EXAMPLES = Path(__file__).parents[2] / "examples" / "torture"
READERS = EXAMPLES / "clients"
MORE_RUNS = 10
"""Runs of a reader beside those for verdicts: in which a place for marks is found, and what it gets wrong is made
smaller. It need not be as small as it can be: that is tested with commands that take no time."""
PATIENCE_S = 60.0
"""Longest run of a reader that gets to the end."""


class NoWatch:
    """Nobody follows."""

    def began(self, variants: int) -> None: ...

    def judged(self, verdict: Verdict) -> None: ...

    def left_out(self, why: str) -> None: ...

    def shrinks(self, variant: Variant) -> None: ...


@pytest.mark.clients(group="readers")
@pytest.mark.parametrize(
    ("reader", "wrong", "right"),
    [
        ("sseclient", ["charset-utf-8", "split-utf8", "bom", "unseen-retry"], "lineEnding-crlf"),
        (
            "aiosseclient",
            ["padding-600000", "lineEnding-cr", "bom", "unseen-type", "data-u2028", "data-controls"],
            "data-blanks-before",
        ),
        ("requests_sse", ["bom", "split-crlf", "data-blanks-before"], "data-u2028"),
        ("aiohttp_sse_client", ["bom", "padding-600000", "data-blanks-before"], "data-u2028"),
    ],
)
def test_readers_for_python(
    client_python: Callable[[str], Path], tmp_path: Path, reader: str, wrong: list[str], right: str
) -> None:
    command = [str(client_python("readers")), str(READERS / f"read_{reader}.py"), "{url}"]
    is_convicted("chat.json", command, [*wrong, right], wrong, tmp_path)


@pytest.mark.clients(group="openai")
def test_the_client_of_openai(client_python: Callable[[str], Path], tmp_path: Path) -> None:
    command = [str(client_python("openai")), str(READERS / "read_openai.py"), "{url}"]
    wrong = ["bom", "unseen-retry"]
    is_convicted("completions.json", command, [*wrong, "split-utf8"], wrong, tmp_path)


@pytest.mark.clients(group="openai")
def test_a_last_event_without_its_blank_line(client_python: Callable[[str], Path], tmp_path: Path) -> None:
    """By the standard it is lost, so nobody is convicted; services send it all the same, and this client loses it."""
    command = [str(client_python("openai")), str(READERS / "read_openai.py"), "{url}"]
    source = str(EXAMPLES / "completions-without-done.json")
    runs = runs_for(1, 1)
    order = Order(source, command, DEFAULT_WAYS, False, ["finalBlankLine"], tmp_path, 2, PATIENCE_S, runs)
    [outcome] = torture(order, NoWatch())
    assert not outcome.is_failure
    assert "line 2 is" in str(outcome.verdict.difference), outcome


@pytest.mark.clients(group="providers")
def test_a_client_of_many_models(client_python: Callable[[str], Path]) -> None:
    """It gets wrong what the client of OpenAI does, with which it reads, but takes too long to start for many runs."""
    command = [str(client_python("providers")), str(READERS / "read_litellm.py"), "{url}"]
    [spec] = load_paths((str(EXAMPLES / "completions.json"),))
    seen = [
        printed({**spec.values, "sse": {**spec.values["sse"], "framing": framing}}, command)
        for framing in ({}, {"lineEnding": "crlf"}, {"bom": True})
    ]
    assert "Grüße" in seen[0][1]
    assert seen[0] == seen[1] != seen[2]


@pytest.mark.clients(group="node")
@pytest.mark.parametrize(
    ("reader", "wrong", "right"),
    [
        ("fetch_event_source", ["emptyLines-2", "comments-blankLine"], "bom"),
        ("extended_eventsource", ["emptyLines-2", "comments-blankLine"], "bom"),
        ("event_source_polyfill", [], "split-utf8"),
    ],
)
def test_readers_for_node(node_clients: None, tmp_path: Path, reader: str, wrong: list[str], right: str) -> None:
    # A module is looked for from the place of the script.
    script = shutil.copy(READERS / f"read_{reader}.mjs", tmp_path)
    (tmp_path / "node_modules").symlink_to(node_packages.HERE / "node_modules")
    is_convicted("chat.json", [program("node"), script, "{url}"], [*wrong, right], wrong, tmp_path)


def runs_for(tried: int, different: int) -> int:
    """Enough runs for so many variants: the clean stream twice, each variant, and what is different four times again,
    each time with the clean stream."""
    return 2 + tried + 8 * different + MORE_RUNS


def is_convicted(source: str, command: list[str], tried: list[str], wrong: list[str], out: Path) -> None:
    """The reader gets just these variants wrong, and the file of each shows it: with its framing, and not without."""
    runs = runs_for(len(tried), len(wrong))
    order = Order(str(EXAMPLES / source), command, DEFAULT_WAYS, False, tried, out, 2, PATIENCE_S, runs)
    outcomes = torture(order, NoWatch())
    assert {outcome.verdict.variant.name for outcome in outcomes} == set(tried)
    assert {outcome.verdict.variant.name for outcome in outcomes if outcome.is_failure} == set(wrong), outcomes
    for outcome in outcomes:
        if outcome.is_failure:
            assert is_shown(outcome, command), outcome


def is_shown(outcome: Outcome, command: list[str]) -> bool:
    [spec] = load_paths((str(outcome.saved),))
    sse = {name: value for name, value in spec.values["sse"].items() if name != "framing"}
    if outcome.verdict.variant.mark is not None:  # the reader prints the representation of what it has read
        [odd] = [event["data"] for event in sse["events"] if "mockd-" in str(event["data"])]
        plain = {**spec.values, "sse": {"events": [{"data": PLAIN}]}}
        return repr(odd) not in printed(spec.values, command)[1] and repr(PLAIN) in printed(plain, command)[1]
    clean = {name: value for name, value in spec.values.items() if name != "faults"}
    return printed({**clean, "sse": sse}, command) != printed(spec.values, command)


def printed(mock: dict[str, object], command: list[str]) -> tuple[int, str]:
    with running_mockd(mock) as mockd:
        url = mockd.url + mock["matcher"]["path"]  # type: ignore[index]
        words = [word.replace("{url}", url) for word in command]
        done = subprocess.run(words, stdout=subprocess.PIPE, text=True, timeout=PATIENCE_S, check=False)
        return done.returncode, done.stdout
