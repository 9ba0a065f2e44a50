"""Whatever comes in, only `ConfigError` comes out; JSON and YAML of the same value are the same."""

from __future__ import annotations

import contextlib
import json
from typing import Any

import pytest
import yaml
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st
from jsonschema import Draft202012Validator

from mockd.config import yaml_text
from mockd.config.load import dump_collection, parse_collection, parse_mock, parse_text, patch_mock
from mockd.config.models import (
    EventConfig,
    Matcher,
    Mock,
    MockFile,
    Scenario,
    SequenceEntry,
    SseConfig,
    Termination,
    Timing,
)
from mockd.config.schema import json_schema
from mockd.config.yaml_text import write_yaml
from mockd.errors import ConfigError

TEXT = st.text(st.characters(exclude_categories=["Cs"]), max_size=12)
KEYS = sorted(
    {
        key
        for part in (Mock, MockFile, Matcher, SseConfig, EventConfig, Timing, Termination, SequenceEntry, Scenario)
        for key in part.__struct_encode_fields__
    }
    | {"http", "type", "response", "body", "createdAt"}
)


def values(texts: st.SearchStrategy[str], keys: st.SearchStrategy[str]) -> st.SearchStrategy[Any]:
    simple = st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | texts
    return st.recursive(simple, lambda inner: st.lists(inner, max_size=3) | st.dictionaries(keys, inner, max_size=4))


ANY = values(st.sampled_from(["/a", "http", "GET", "${A}", "1.0"]) | TEXT, st.sampled_from(KEYS) | TEXT)
MOCK = {"id": "m", "matcher": {"path": "/a"}, "sse": {"events": [{"data": 1}], "timing": {"fixedDelay": 1}}}

quick = settings(max_examples=60, deadline=None, suppress_health_check=list(HealthCheck))
VALIDATOR = Draft202012Validator(json_schema())


@quick
@given(ANY)
@example({"matcher": {"path": "/a", "pathPattern": "("}, "response": {"delay": 10**400}})
def test_any_json_is_a_mock_or_a_config_error(value: Any) -> None:
    with contextlib.suppress(ConfigError):
        parse_mock(value, root=None)
    with contextlib.suppress(ConfigError):
        parse_collection(value, root=None)
        VALIDATOR.validate(value)


@quick
@given(ANY)
def test_any_patch_leaves_a_mock_that_can_be_exported_or_is_refused(patch: Any) -> None:
    with contextlib.suppress(ConfigError):
        patched = patch_mock(parse_mock(MOCK, root=None), patch)
        (imported,) = parse_collection(dump_collection([patched]), root=None)
        assert (imported.id, imported.doc, imported.mock) == (patched.id, patched.doc, patched.mock)


@quick
@given(st.binary(max_size=40) | TEXT.map(str.encode), st.sampled_from(["json", "yaml"]))
@example(b"- !<tag:yaml.org,2002:map> x", "yaml")
@example(b"&a : *a", "yaml")
@example(b"%YAML 9.9\n--- a", "yaml")
@example(b'"' + b"\\ud800" * 3 + b'"', "json")
def test_any_text_is_read_or_a_config_error(text: bytes, format: Any) -> None:
    with contextlib.suppress(ConfigError):
        parse_text(text, source=None, format=format)


@quick
@given(values(TEXT, TEXT))
@example(["\x85", "\u2028", " a\n", "\x7f", "1e3", "\U0010f000\x85"])
def test_json_and_yaml_of_the_same_value_load_equal(value: Any) -> None:
    as_json = json.dumps(value).encode()
    same = [parse_text(as_json, source=None, format="json"), _yaml(write_yaml(value))]
    if isinstance(value, list | dict):
        printable = json.dumps(value, ensure_ascii=False)
        if not yaml.reader.Reader.NON_PRINTABLE.search(printable):
            same.append(_yaml(printable))
    for read in same:
        assert json.dumps(read) == json.dumps(value)


def _yaml(text: str) -> Any:
    return parse_text(text.encode(), source=None, format="yaml")


@pytest.mark.parametrize("parser", [yaml.CSafeLoader, yaml.SafeLoader])
def test_both_yaml_parsers_read_the_same(parser: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(yaml_text, "Parser", parser)
    text = "a: &x [1, 'b\u2028c']\nd: {e: *x, f: !!str 5}\ng: |\n  line\n  line\n"
    assert _yaml(text) == {"a": [1, "b\u2028c"], "d": {"e": [1, "b\u2028c"], "f": "5"}, "g": "line\nline\n"}
