"""Texts: what is refused, and exactly where."""

from __future__ import annotations

import json

import pytest
import yaml

from mockd.config import yaml_text
from mockd.config.load import parse_text
from mockd.config.values import MAX_DEPTH
from mockd.config.yaml_text import write_yaml
from mockd.errors import ConfigError, Problem


def problems_of(text: str | bytes, format: str) -> tuple[Problem, ...]:
    data = text if isinstance(text, bytes) else text.encode("utf-8", "surrogatepass")
    with pytest.raises(ConfigError) as caught:
        parse_text(data, source="f", format=format)  # type: ignore[arg-type]
    return caught.value.problems


def read(text: str, format: str) -> object:
    return parse_text(text.encode(), source="f", format=format)  # type: ignore[arg-type]


@pytest.fixture(params=["libyaml", "python"])
def parser(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> None:
    """Both parsers that PyYAML may have."""
    if request.param == "python":
        monkeypatch.setattr(yaml_text, "Parser", yaml.SafeLoader)


@pytest.mark.parametrize(
    ("text", "line", "column", "message"),
    [
        ('{"a": 1,\n  "b" 2}', 2, 7, "not JSON"),
        ('{\r\n"a": tru}', 2, 6, "not JSON"),
        ('{"a": 1,\n "b": 2,\n "a": 3}', 3, 2, "key `a` is given twice (first on line 1)"),
        ('[{"é😀": NaN}]', 1, 9, "NaN"),
        ('{"a": [1,\n  1e999]}', 2, 3, "infinities"),
        ("[-Infinity]", 1, 2, "infinities"),
        ('["ok",\n "\\ud800"]', 2, 2, "surrogate"),
        ('{"x": {"\\udfff": 1}}', 1, 7, "surrogate"),
        ("[" * (MAX_DEPTH + 1) + "]" * (MAX_DEPTH + 1), 1, MAX_DEPTH + 1, "nested"),
        ("\n" + "[" * 100_000, 2, MAX_DEPTH + 1, "nested"),
        ('{"a":' * 5_000 + "1" + "}" * 5_000, 1, 5 * MAX_DEPTH + 1, "nested"),
        ('{"n": ' + "9" * 4001 + "}", 1, 7, "4,000 digits"),
        ('{"n": -' + "9" * 9000 + "}", 1, 7, "4,000 digits"),
        ('["a\nb"]', 1, 4, "control character"),
        ("[1] 2", 1, 5, "extra data"),
        (b'{"a":\n "\xff"}', 2, 3, "0xff is not UTF-8"),
    ],
)
def test_broken_json_has_its_place(text: str | bytes, line: int, column: int, message: str) -> None:
    problem = problems_of(text, "json")[0]
    assert (problem.source, problem.line, problem.column) == ("f", line, column)
    assert message in problem.message


@pytest.mark.parametrize(
    ("text", "hint"),
    [
        ('{"a": 1, // one\n}', "no comments"),
        ('{"a": [1, 2,]}', "comma"),
        ("{'a': 1}", "double quotes"),
        ("[True]", "true and false"),
        ("{a: 1}", "double quotes"),
    ],
)
def test_common_slips_in_json_get_a_hint(text: str, hint: str) -> None:
    assert hint in str(problems_of(text, "json")[0].hint)


def test_every_double_key_is_reported_with_its_path() -> None:
    found = problems_of('{"a": {"x": 1, "x": 2}, "b": [0, {"y": 1, "y": 2}]}', "json")
    assert [problem.path for problem in found] == [("a", "x"), ("b", 1, "y")]


@pytest.mark.usefixtures("parser")
@pytest.mark.parametrize(
    ("text", "line", "column", "message"),
    [
        ("a: 1\nb:\n  - x: .nan\n", 3, 8, "NaN"),
        ("a: [1, -.inf]", 1, 8, "infinities"),
        ("a: 1e999", 1, 4, "infinities"),
        ("é😀: .inf", 1, 5, "infinities"),
        ("a: 1\nb: 2\na: 3\n", 3, 1, "key `a` is given twice (first on line 1)"),
        ("a: 1\r\n'a': 2\r\n", 2, 1, "key `a` is given twice (first on line 1)"),
        ("x:\n  200: ok\n", 2, 3, "key `200` is not text"),
        ("true: ok\n", 1, 1, "key `true` is not text"),
        ("? [a, b]\n: c\n", 1, 3, "a key must be text"),
        ("a: !python/object x\n", 1, 4, "the tag `!python/object`"),
        ("a: !!int x\n", 1, 4, "the tag `!!int`"),
        ("a: !!set {x}\n", 1, 4, "the tag `!!set`"),
        ("a: 1\n---\nb: 2\n", 2, 1, "a second YAML document"),
        ("a: *b\n", 1, 4, "`*b` has no finished `&b`"),
        ("a: &a [1, *a]\n", 1, 11, "`*a` has no finished `&a`"),
        ("a:\n  <<: 5\n", 2, 7, "`<<` takes a mapping"),
        ("a: \x07\n", 1, 4, "U+0007"),
        ("a: |\n  b\u2028c\nd: .nan\n", 3, 4, "NaN"),
        ("- " * (MAX_DEPTH + 1) + "x", 1, 2 * MAX_DEPTH + 1, "nested"),
        ("n: " + "9" * 5000, 1, 4, "4,000 digits"),
        ("n: 0x" + "9" * 5000, 1, 4, "4,000 digits"),
    ],
)
def test_broken_yaml_has_its_place(text: str, line: int, column: int, message: str) -> None:
    problem = problems_of(text, "yaml")[0]
    assert (problem.source, problem.line, problem.column) == ("f", line, column)
    assert message in problem.message


@pytest.mark.usefixtures("parser")
def test_yaml_syntax_errors_say_where_and_what_to_do() -> None:
    problem = problems_of("a:\n\tb: 1\n", "yaml")[0]
    assert (problem.line, problem.column) == (2, 1)
    assert problem.message.startswith("not YAML: ")
    assert problem.hint == "indent with spaces, not tabs"


@pytest.mark.usefixtures("parser")
@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("12:30:00", "12:30:00"),
        ("2024-01-15", "2024-01-15"),
        ("2024-01-15T10:30:00Z", "2024-01-15T10:30:00Z"),
        ("yes", "yes"),
        ("off", "off"),
        ("1_000", "1_000"),
        ("0b11", "0b11"),
        ("=", "="),
        ("true", True),
        ("FALSE", False),
        ("~", None),
        ("Null", None),
        ("0o17", 15),
        ("017", 17),
        ("0xFF", 255),
        ("+12", 12),
        ("1e3", 1000.0),
        (".5", 0.5),
        ("-1.", -1.0),
        ("123456789012345678901234567890", 123456789012345678901234567890),
        ("'5'", "5"),
        ("!!str 5", "5"),
        ("! 5", "5"),
        ("!!float 5", 5.0),
        ("!!int '5'", 5),
        ('"\\u263a"', "☺"),
        ("|\n  a\n  b\n", "a\nb\n"),
        ("|\n  a\r\n  b\r\n", "a\nb\n"),
        ('"a\x85b\u2028c\u2029d"', "a\x85b\u2028c\u2029d"),
    ],
)
def test_yaml_follows_the_core_schema(text: str, value: object) -> None:
    got = read(f"- {text}" if "\n" not in text else f"-{' '}{text}", "yaml")
    assert got == [value]
    assert type(got[0]) is type(value)  # type: ignore[index]


@pytest.mark.usefixtures("parser")
def test_aliases_and_merge_keys_work() -> None:
    text = """
base: &base {method: GET, path: /a}
one: {<<: *base, path: /b}
two: {<<: [{x: 1}, *base], y: 2}
three: *base
&k key: 1
*k : 2
"""
    with pytest.raises(ConfigError, match="key `key` is given twice"):
        read(text, "yaml")
    assert read(text.replace("*k :", "other:"), "yaml") == {
        "base": {"method": "GET", "path": "/a"},
        "one": {"path": "/b", "method": "GET"},
        "two": {"y": 2, "x": 1, "method": "GET", "path": "/a"},
        "three": {"method": "GET", "path": "/a"},
        "key": 1,
        "other": 2,
    }


@pytest.mark.usefixtures("parser")
def test_an_alias_bomb_is_refused() -> None:
    lines = ["a0: &a0 [x, x, x, x, x, x, x, x, x, x]"]
    lines += [f"a{n}: &a{n} [{', '.join([f'*a{n - 1}'] * 10)}]" for n in range(1, 12)]
    problem = problems_of("\n".join(lines), "yaml")[0]
    assert "aliases stand for more than 200,000 values" in problem.message
    assert problem.line == 6


def test_long_text_counts_in_an_alias_bomb() -> None:
    text = "a: &a " + "x" * 1_000_000 + "\nb: [" + ", ".join(["*a"] * 50) + "]\n"
    assert "aliases stand for more than" in problems_of(text, "yaml")[0].message


@pytest.mark.parametrize("format", ["json", "yaml"])
@pytest.mark.parametrize("text", ["", "  \n\t \r\n", "\ufeff"])
def test_an_empty_text_is_refused(text: str, format: str) -> None:
    assert problems_of(text, format)[0].message == "it is empty"


def test_yaml_of_comments_only_is_refused() -> None:
    assert problems_of("# nothing\n", "yaml")[0].message == "there is nothing in it but comments"


@pytest.mark.parametrize("format", ["json", "yaml"])
def test_a_byte_order_mark_and_windows_line_ends_are_fine(format: str) -> None:
    text = '\ufeff{"b": 1,\r\n "a": [true,\r\n null]}\r\n'
    assert read(text, format) == {"b": 1, "a": [True, None]}
    assert list(read(text, format)) == ["b", "a"]  # type: ignore[call-overload]


def test_integers_are_exact_however_long() -> None:
    assert read(f"[{'7' * 3999}]", "json") == [int("7" * 3999)]


@pytest.mark.parametrize("text", ["yes", "12:30:00", "2024-01-15", "0o17", "1e3", ".5", "~", "null", "", "0x1f", "017"])
def test_written_yaml_quotes_text_that_looks_like_something_else(text: str) -> None:
    written = write_yaml({"t": text})
    assert read(written, "yaml") == yaml.safe_load(written) == {"t": text}


LONG = "1, " * 50_000
"""Values that go on for long without the end of an object. Another parser reads them, in steps."""


@pytest.mark.parametrize(
    "text", [f"[{LONG}1]", f'{{"a": [{LONG}{{"b": [{LONG}"é"]}}]}}', json.dumps({f"key{n}": n for n in range(50_000)})]
)
def test_long_runs_of_values_are_read_as_short_ones_are(text: str) -> None:
    assert read(text, "json") == json.loads(text)


@pytest.mark.parametrize(
    ("text", "line", "message"),
    [
        ('[%s\n{"a": 1, "a": 2}]', 2, "key `a` is given twice"),
        ("[%s\n1e999]", 2, "infinities"),
        ("[%s\n1 2]", 2, "not JSON: expecting ',' delimiter"),
        ("[%s\n" + "[" * 5000, 2, "nested"),
        ("[%s\n" + "9" * 5000 + "]", 2, "digits"),
    ],
)
def test_mistakes_behind_long_runs_have_their_places(text: str, line: int, message: str) -> None:
    (problem, *_) = problems_of(text % LONG, "json")
    assert (problem.line, message in problem.message) == (line, True), problem
