"""Entries of `responses` in files: all that a mock's one answer can have, they can have too."""

from __future__ import annotations

from pathlib import Path

import pytest

from mockd.config.load import load_paths, watched_files
from mockd.engine import Engine
from mockd.errors import ConfigError
from mockd.program.plan import StreamPlan

HEAD = "- id: m\n  matcher: {path: '/m/{name}'}\n  responses:\n"


def plans(tmp_path: Path, text: str, environ: dict[str, str] | None = None) -> list[StreamPlan]:
    """The plans of a mock that is written in YAML."""
    (tmp_path / "m.yaml").write_text(HEAD + text)
    engine = Engine()
    engine.load(load_paths([str(tmp_path)], environ or {}))
    return [part.plan for part in engine.mock_set.served.find("m").parts]


def test_environment_values(tmp_path: Path) -> None:
    text = "  - sse: {events: [{data: x}], retry: '${RETRY}', status: '${STATUS:-201}'}\n    times: '${TIMES}'\n"
    (plan,) = plans(tmp_path, text, {"RETRY": "5", "TIMES": "3"})
    assert (plan.retry, plan.status) == (5, 201)


def test_environment_values_that_a_template_wants_as_numbers(tmp_path: Path) -> None:
    text = "  - response: {}\n  - sse: {template: openai-chat, templateParams: {delayPerToken: '${DELAY}'}}\n"
    assert plans(tmp_path, text, {"DELAY": "7"})[1].pacing is not None


@pytest.mark.parametrize(
    ("text", "place"),
    [
        ("  - response: {}\n  - sse: {events: [{data: '${NOT_SET}'}]}\n", "m.yaml:5:27"),
        ("  - response: {}\n  - sse: {eventsFile: nope.json}\n", "m.yaml:5:23"),
        ("  - response: {}\n  - sse: {evnts: []}\n", "m.yaml:5:11"),
        ("  - response: {body: '{{ request.params.nme }}'}\n", "m.yaml:4:22"),
        ("  - response: {}\n    faults: [stall, reset sometimes]\n", "m.yaml:5:21"),
    ],
)
def test_problems_have_line_and_column(tmp_path: Path, text: str, place: str) -> None:
    with pytest.raises(ConfigError) as caught:
        plans(tmp_path, text)
    assert place in str(caught.value)


@pytest.mark.parametrize("scenario", ["{name: '${NAME}', when: start}", "{name: x, set: 'a ${NAME}'}"])
def test_what_is_shown_to_everybody_is_not_from_the_environment(tmp_path: Path, scenario: str) -> None:
    with pytest.raises(ConfigError, match=r"m\.yaml:5:13.*not filled in from the environment") as caught:
        plans(tmp_path, f"  - response: {{}}\n  scenario: {scenario}\n", {"NAME": "canary"})
    assert "canary" not in str(caught.value)


def test_captures(tmp_path: Path) -> None:
    assert plans(tmp_path, "  - response: {body: 'Hello {{ request.params.name }}'}\n")


def test_data_files(tmp_path: Path) -> None:
    (tmp_path / "events.json").write_text('[{"data": 1}]')
    (tmp_path / "body.txt").write_text("b")
    text = "  - sse: {eventsFile: events.json}\n  - response: {bodyFile: body.txt}\n"
    assert len(plans(tmp_path, text)) == 2
    names = {"m.yaml", "events.json", "body.txt"}
    assert {file.name for file in watched_files([str(tmp_path)])} == names


def test_plug_ins_beside_the_file(tmp_path: Path) -> None:
    (tmp_path / "plug_in_of_entries.py").write_text(
        "import msgspec\n"
        "from mockd.source import Answer, BaseSource\n"
        "from mockd.sources import SourceKind\n"
        "class Params(msgspec.Struct):\n"
        "    pass\n"
        "class Teapot(BaseSource):\n"
        "    answer = Answer(status=418)\n"
        "    def open(self, context):\n"
        "        return self.answer\n"
        "KIND = SourceKind('teapot', Params, lambda params: Teapot(), 'A teapot.', part='response')\n"
    )
    _, plan = plans(tmp_path, "  - response: {}\n  - response: {template: 'plug_in_of_entries:KIND'}\n")
    assert plan.source.answer is not None
    assert plan.source.answer.status == 418
