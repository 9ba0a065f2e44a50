"""Sequences by the number of the request, scenarios by key, and what both keep."""

from __future__ import annotations

from typing import Any

import pytest

from mockd.config.load import parse_collection, parse_mock
from mockd.engine import Engine
from mockd.errors import ConfigError, Problem, TooManyKeysError
from mockd.matching import Match, Miss
from mockd.mocks.choice import AnswerSequence
from mockd.mocks.scenarios import known_states
from mockd.patterns import APART
from mockd.request import RequestView
from mockd.settings import Settings

ANSWERS = [{"response": {"body": name}} for name in "abc"]


@pytest.mark.parametrize(
    ("times", "then", "got"),
    [
        ([1], None, "0000"),
        ([1, 1, 1], None, "012222"),
        ([2, 1], "last", "001111"),
        ([2, 1], "cycle", "001001001"),
        ([1, 3], "miss", "0111--"),
        ([1], "cycle", "000"),
        ([1], "miss", "0--"),
    ],
)
def test_the_entry_of_each_turn(times: list[int], then: str | None, got: str) -> None:
    sequence = AnswerSequence(times, then)
    found = [sequence.entry(turn) for turn in range(1, len(got) + 1)]
    assert "".join("-" if entry is None else str(entry) for entry in found) == got


def test_a_billion_turns_take_no_time() -> None:
    sequence = AnswerSequence([10**9] * 1000, "cycle")
    assert sequence.entry(10**9) == 0
    assert sequence.entry(10**9 + 1) == 1
    assert sequence.entry(10**12) == 999
    assert sequence.entry(10**12 + 1) == 0


def request(key: str = "", method: str = "GET") -> RequestView:
    view = RequestView({"type": "http", "method": method, "path": "/m", "query_string": b"", "headers": []})
    view.key = key
    return view


def served(**mock: Any) -> Engine:
    engine = Engine()
    engine.create({"id": "m", "matcher": {"path": "/m"}, **mock})
    return engine


def body_for(engine: Engine, key: str = "", method: str = "GET") -> str | None:
    """The body of the answer to a request of a key; None if no mock matches."""
    view = request(key, method)
    match = engine.mock_set.served.table.resolve(view)
    if not isinstance(match, Match) or not match.target.fits(view):
        return None
    part = match.target.chosen(view)
    assert part.plan.source.answer is not None
    return str(part.plan.source.answer.body)


def test_each_key_has_turns_of_its_own() -> None:
    engine = served(responses=ANSWERS, then="miss")
    assert [body_for(engine, key) for key in ("", "t1", "", "t2", "t1", "")] == ["a", "a", "b", "a", "b", "c"]
    assert [body_for(engine, key) for key in ("", "t1", "t1")] == [None, "c", None]


def test_each_key_has_states_of_its_own() -> None:
    engine = served(response={"body": "out"}, scenario={"name": "s", "when": "start", "set": "in"})
    engine.create({"matcher": {"path": "/m"}, "response": {"body": "in"}, "scenario": {"name": "s", "when": "in"}})
    assert [body_for(engine, key) for key in ("", "t1", "", "t1", "t2")] == ["out", "out", "in", "in", "out"]
    assert engine.scenarios.reset("t1") == 1
    assert [body_for(engine, key, "HEAD") for key in ("", "t1", "t2")] == ["in", "out", "in"]
    assert engine.scenarios.reset() == 2
    assert [body_for(engine, key, "HEAD") for key in ("", "t1", "t2")] == ["out"] * 3


def test_a_mock_with_one_answer_has_no_choice_to_make() -> None:
    assert served(response={}).mock_set.served.find("m").only is not None
    assert served(responses=ANSWERS).mock_set.served.find("m").only is None
    assert served(response={}, scenario={"name": "s", "when": "start"}).mock_set.served.find("m").only is None


def near_misses(engine: Engine, **asked: Any) -> list[str]:
    """Why mocks nearly answer a request."""
    view = request(**asked)
    view.allow(APART)  # a pattern's first search may take long
    miss = engine.mock_set.served.table.resolve(view)
    assert isinstance(miss, Miss)
    return [near["reason"] for near in miss.near_misses]


def test_what_came_before_is_no_likeness() -> None:
    scenario = {"name": "s", "when": "start"}
    engine = Engine()
    engine.create({"matcher": {"pathPattern": "^/other$"}, "response": {}, "scenario": scenario})
    engine.create({"matcher": {"pathPattern": "^/other$"}, "responses": ANSWERS, "then": "miss"})
    assert near_misses(engine) == []


def test_a_near_miss_says_what_is_different() -> None:
    engine = served(responses=ANSWERS[:1], then="miss", scenario={"name": "s", "when": ["start", "in"]})
    engine.patch("m", {"matcher": {"method": "POST"}})
    assert near_misses(engine) == ['path and scenario s matched, but method expected "POST", got "GET"']
    engine.patch("m", {"matcher": {"method": None}})
    body_for(engine)
    assert near_misses(engine) == ["path and scenario s matched, but all of its responses are used up (`then: miss`)"]
    engine.scenarios.set("", "s", "out")
    assert near_misses(engine) == [
        "path matched, but the scenario `s` is in state `out`, not `start` or `in`; all of its responses are used up "
        "(`then: miss`)"
    ]


# -- states ------------------------------------------------------------------------------------------------------------


def test_the_keys_of_states_are_bounded() -> None:
    states = Engine(Settings(max_keys=3)).scenarios
    for number in range(3):
        states.set(str(number), "s", "in")
    states.set("", "s", "in")
    states.set("2", "s", "out")
    with pytest.raises(TooManyKeysError):
        states.set("3", "s", "in")
    assert [states.state(key, "s") for key in ("0", "1", "2", "3", "")] == ["in", "in", "out", "start", "in"]


def test_what_is_at_its_start_takes_no_room() -> None:
    engine = Engine()
    engine.scenarios.set("a", "s", "in")
    engine.scenarios.set("a", "s", "start")
    engine.scenarios.set("b", "s", "start")
    assert engine.scenarios.reset() == 0
    assert engine.keys.names() == ["a"]


def test_states_are_those_of_all_mocks_for_a_key() -> None:
    engine = Engine()
    engine.create({"id": "for all", "matcher": {"path": "/"}, "response": {}, "scenario": {"name": "s", "set": "in"}})
    engine.create({"id": "own", "matcher": {"path": "/"}, "response": {}, "scenario": {"name": "s", "set": "x"}}, "k")
    assert engine.by_key.scenarios_of("k") == {"s": ["start", "in", "x"]}
    assert engine.by_key.scenarios_of("other") == {"s": ["start", "in"]}
    engine.scenarios.set("k", "s", "x")
    engine.scenarios.set("other", "s", "in")
    engine.delete("for all")
    assert [engine.scenarios.state(key, "s") for key in ("k", "other")] == ["x", "start"]


def test_a_scenario_that_mocks_for_all_keys_name_stays_when_a_keys_own_go() -> None:
    engine = Engine()
    engine.create({"id": "for all", "matcher": {"path": "/"}, "response": {}, "scenario": {"name": "s", "set": "in"}})
    engine.create({"id": "own", "matcher": {"path": "/"}, "response": {}, "scenario": {"name": "s", "when": "in"}}, "k")
    engine.scenarios.set("k", "s", "in")
    with engine.by_key.place_of("k") as place:
        assert place.mocks is not None
        place.mocks.delete("own")
        engine.serving.swap(place)
    assert engine.scenarios.state("k", "s") == "in"


def test_the_states_that_mocks_name() -> None:
    given = [{"name": "a", "when": ["x", "y"]}, {"name": "b", "set": "start"}, {"name": "a", "when": "x", "set": "z"}]
    mocks = [{"matcher": {"path": "/"}, "response": {}, "scenario": scenario} for scenario in given]
    specs = parse_collection(mocks, root=None)
    assert known_states(spec.mock for spec in specs) == {"a": ["start", "x", "y", "z"], "b": ["start"]}


# -- bad input ---------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("fields", "said"),
    [
        ({"responses": []}, "$.responses: expected a list of length >= 1"),
        ({"responses": ANSWERS, "sse": {"events": [{"data": 1}]}}, "a mock needs exactly one of"),
        ({"responses": [{}]}, "$.responses[0]: an entry of `responses` needs exactly one of `sse`, `chunked`, `respon"),
        ({"responses": [{**ANSWERS[0], "chunked": {"data": "x"}}]}, "$.responses[0]: an entry of `responses` needs ex"),
        ({"responses": [{**ANSWERS[0], "times": 0}]}, "$.responses[0].times: expected a whole number >= 1"),
        (
            {"responses": [{**ANSWERS[0], "repeat": 2}]},
            "$.responses[0].repeat: unknown key `repeat` (did you mean `tim",
        ),
        ({"responses": ANSWERS, "then": "repeat"}, "$.then: 'repeat' is not one of `cycle`, `last`, `miss`"),
        ({"response": {}, "then": "last"}, "$.then: `then` goes with `responses`"),
        ({"response": {}, "sequence": []}, "$.sequence: unknown key `sequence` (did you mean `responses`?)"),
        ({"response": {}, "scenario": {"name": "s"}}, "$.scenario: `scenario` needs `when`, `set` or both"),
        ({"response": {}, "scenario": {"set": "x"}}, "$.scenario: missing `name`"),
        ({"response": {}, "scenario": {"name": "a/b", "set": "x"}}, "$.scenario.name: only printable characters other"),
        ({"response": {}, "scenario": {"name": "s", "when": []}}, "$.scenario.when: expected a list of length >= 1"),
        ({"response": {}, "scenario": {"name": "s", "set": ""}}, "$.scenario.set: expected text of length >= 1"),
        (
            {"response": {}, "scenario": {"name": "s", "requiredState": "x"}},
            "$.scenario.requiredState: unknown key `requiredState` (did you mean `when`?)",
        ),
        (
            {"responses": [*ANSWERS, {"sse": {"events": [{"dta": 1}]}}]},
            "$.responses[3].sse.events[0].dta: unknown key `dta` (did you mean `data`?)",
        ),
        (
            {"responses": [{"sse": {"events": [{"data": 1}], "fixedDelay": 5}}]},
            "$.responses[0].sse.fixedDelay: unknown key `fixedDelay` (did you mean `timing.fixedDelay`?)",
        ),
    ],
    ids=str,
)
def test_nonsense_is_refused_at_its_place(fields: dict[str, Any], said: str) -> None:
    with pytest.raises(ConfigError) as caught:
        parse_mock({"matcher": {"path": "/m"}, **fields}, root=None)
    assert str(caught.value.problems[0]).startswith(said)


@pytest.mark.parametrize(
    ("entry", "place"),
    [
        ({"sse": {"template": "no-such"}}, ("sse", "template")),
        ({"sse": {"events": [{"data": "$random:5"}]}}, ("sse", "events", 0, "data")),
        ({"sse": {"template": "openai-chat", "templateParams": {"tokns": []}}}, ("sse", "templateParams", "tokns")),
        ({"chunked": {"data": "{{ request.nope( }}"}}, ("chunked", "data")),
        ({"response": {"headers": {"Content-Length": "7"}, "body": "x"}}, ("response", "headers", "Content-Length")),
        ({"response": {"body": "{{ request.path"}}, ("response", "body")),
        ({"response": {}, "faults": ["stall", "reset sometimes"]}, ("faults", 1)),
        ({"response": {}, "faults": ["end"]}, ("faults", 0)),
    ],
    ids=str,
)
def test_faults_found_when_built_have_the_place_of_their_entry(entry: dict[str, Any], place: tuple[Any, ...]) -> None:
    spec = parse_mock({"matcher": {"path": "/m"}, "responses": [ANSWERS[0], entry]}, root=None)
    with pytest.raises(ConfigError) as caught:
        Engine().check(spec)
    assert [problem.path[: 2 + len(place)] for problem in caught.value.problems] == [("responses", 1, *place)]


def test_every_wrong_entry_is_said() -> None:
    wrong = {"sse": {"template": "no-such"}}
    found: list[Problem] = []
    with pytest.raises(ConfigError) as caught:
        served(responses=[wrong, ANSWERS[0], wrong])
    found += caught.value.problems
    assert [problem.path[:2] for problem in found] == [("responses", 0), ("responses", 2)]


def test_end_goes_with_a_sequence_that_has_a_stream() -> None:
    stream = {"sse": {"events": [{"data": 1}]}}
    served(responses=[ANSWERS[0], stream], faults=["end"])
    with pytest.raises(ConfigError, match="`end` is not possible"):
        served(responses=ANSWERS, faults=["end"])
