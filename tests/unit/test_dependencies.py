"""What mockd relies on of its dependencies beyond what they document: messages that it reads, parts that may change.

If one fails with a new version, the module that is named must be looked at before the bound in `pyproject.toml` is
moved. For uvicorn, `tests/wire/uvicorn_contract/` holds more.
"""

from __future__ import annotations

import re
import tomllib
from collections.abc import Callable
from importlib.metadata import version
from pathlib import Path
from typing import Annotated, Any, Literal

import httptools
import minijinja
import msgspec
import pytest
import yaml
from jsonpath import JSONPathEnvironment, JSONPathError
from packaging.requirements import Requirement
from sse_starlette.event import ServerSentEvent
from sse_starlette.sse import AppStatus
from starlette.applications import Starlette
from starlette.routing import Match, Mount, Router
from typer.core import TyperCommand

PROJECT = tomllib.loads((Path(__file__).parents[2] / "pyproject.toml").read_text(encoding="utf-8"))
REQUIREMENTS = {found.name: found for found in map(Requirement, PROJECT["project"]["dependencies"])}


class Part(msgspec.Struct, forbid_unknown_fields=True):
    wanted: int
    word: Literal["a", "b"] = "a"
    duration: Annotated[str, msgspec.Meta(pattern="^x$")] = "x"
    items: list[int] = []
    size: Annotated[int, msgspec.Meta(ge=1)] = 1


def said_by_msgspec(value: Any) -> str:
    with pytest.raises(msgspec.ValidationError) as caught:
        msgspec.convert({"parts": [value]}, dict[str, list[Part]])
    return str(caught.value)


def said_by_minijinja(source: str, **options: Any) -> tuple[str, str]:
    environment = minijinja.Environment(undefined_behavior="chainable", pycompat=False, **options)
    with pytest.raises(minijinja.TemplateError) as caught:
        environment.render_str(source, value="a")
    return caught.value.kind, str(caught.value.args[0])


def said_by_jsonpath(path: str) -> str:
    with pytest.raises((JSONPathError, ValueError)) as caught:
        JSONPathEnvironment(strict=True).compile(path)
    return str(caught.value.args[0])


def steps_of_jsonpath() -> list[Any]:
    query = JSONPathEnvironment(strict=True).compile("$.a[-1]")
    selectors = [segment.selectors[0] for segment in query.segments]  # type: ignore[union-attr]
    return [query.singular_query(), selectors[0].name, selectors[1].index]  # type: ignore[union-attr]


def said_by_yaml() -> list[Any]:
    with pytest.raises(yaml.MarkedYAMLError) as caught:
        list(yaml.parse("a: [1,\nb: }", getattr(yaml, "CSafeLoader", yaml.SafeLoader)))
    error = caught.value
    return [error.problem is not None, error.problem_mark.line]


class Reading:
    """What httptools calls."""

    def __init__(self) -> None:
        self.parser = httptools.HttpRequestParser(self)
        self.parser.set_dangerous_leniencies(lenient_data_after_close=True)
        self.seen: list[Any] = []

    def on_headers_complete(self) -> None:
        self.seen += [self.parser.should_upgrade(), self.parser.get_method(), self.parser.get_http_version()]

    def read(self, data: bytes) -> list[Any]:
        try:
            self.parser.feed_data(data)
        except httptools.HttpParserUpgrade as offer:
            self.seen.append(data[offer.args[0] :])
        return self.seen


OFFER = b"POST / HTTP/1.1\r\nHost: x\r\nConnection: Upgrade\r\nUpgrade: h2c\r\nContent-Length: 4\r\n\r\nbody"


class Sub(Router):
    async def app(self, scope: Any, receive: Any, send: Any) -> None:
        pass


RELIED_ON: dict[str, tuple[str, str, Callable[[], Any], Any]] = {
    "places": ("msgspec", "config/explain.py", lambda: said_by_msgspec({}), r".* - at `\$\[\.\.\.\]\[0\]`"),
    "a missing field": (
        "msgspec",
        "config/explain.py",
        lambda: said_by_msgspec({}),
        r"Object missing required field `wanted` - at .*",
    ),
    "a wrong type": (
        "msgspec",
        "config/explain.py",
        lambda: said_by_msgspec({"wanted": "1"}),
        r"Expected `int`, got `str` - at .*",
    ),
    "a wrong item": (
        "msgspec",
        "config/explain.py",
        lambda: said_by_msgspec({"wanted": 1, "items": [1, None]}),
        r"Expected `int`, got `null` - at `\$\[\.\.\.\]\[0\]\.items\[1\]`",
    ),
    "a wrong word": (
        "msgspec",
        "config/explain.py",
        lambda: said_by_msgspec({"wanted": 1, "word": "c"}),
        r"Invalid enum value 'c' .*",
    ),
    "a wrong pattern": (
        "msgspec",
        "config/explain.py",
        lambda: said_by_msgspec({"wanted": 1, "duration": "y"}),
        r"Expected `str` matching regex '\^x\$' - at .*",
    ),
    "a bound": (
        "msgspec",
        "config/explain.py",
        lambda: said_by_msgspec({"wanted": 1, "size": 0}),
        r"Expected `int` >= 1 - at .*",
    ),
    "too many steps": (
        "minijinja",
        "expressions/expression.py",
        lambda: said_by_minijinja("{% for i in range(999) %}{% endfor %}", fuel=9)[0],
        "OutOfFuel",
    ),
    "a wrong syntax": (
        "minijinja",
        "expressions/expression.py",
        lambda: said_by_minijinja("{{ ( }}")[0],
        "SyntaxError",
    ),
    "an unknown filter": (
        "minijinja",
        "expressions/expression.py",
        lambda: said_by_minijinja("{{ 1|x }}")[0],
        "UnknownFilter",
    ),
    "an unknown test": (
        "minijinja",
        "expressions/expression.py",
        lambda: said_by_minijinja("{{ 1 is x }}")[0],
        "UnknownTest",
    ),
    "an unknown function": (
        "minijinja",
        "expressions/expression.py",
        lambda: said_by_minijinja("{{ x() }}")[0],
        "UnknownFunction",
    ),
    "an unknown method": (
        "minijinja",
        "expressions/expression.py",
        lambda: said_by_minijinja("{{ value.x() }}")[0],
        "UnknownMethod",
    ),
    "the line of an error": (
        "minijinja",
        "expressions/expression.py",
        lambda: said_by_minijinja("\n{{ value | int }}")[1],
        r".* \(in <string>:2\)",
    ),
    "names in a text": (
        "minijinja",
        "expressions/words.py",
        lambda: minijinja.Environment().undeclared_variables_in_str("{{ a.b }}", nested=True),
        {"a.b"},
    ),
    "the reason alone": ("python-jsonpath", "matching/json_path.py", lambda: said_by_jsonpath("$["), r"[^\n]+"),
    "steps of a path": ("python-jsonpath", "matching/json_path.py", steps_of_jsonpath, [True, "a", -1]),
    "the place of an error": ("PyYAML", "config/yaml_text.py", said_by_yaml, [True, 1]),
    "characters that are refused": (
        "PyYAML",
        "config/yaml_text.py",
        lambda: [bool(yaml.reader.Reader.NON_PRINTABLE.search(text)) for text in ("a\n\x85\u20ac", "\x00", "\x1b")],
        [False, True, True],
    ),
    "bytes of an event": (
        "sse-starlette",
        "framing/framings.py",
        lambda: ServerSentEvent("a\nb", event="e", id="1", retry=5, comment="c", sep="\n").encode(),
        b": c\nid: 1\nevent: e\ndata: a\ndata: b\nretry: 5\n\n",
    ),
    "the order to stop": ("sse-starlette", "lines/stopping.py", lambda: AppStatus.should_exit in (True, False), True),
    "routes and middleware of an app": (
        "starlette",
        "app.py",
        lambda: [Starlette().user_middleware, Starlette().router.routes, Sub(redirect_slashes=False).routes],
        [[], [], []],
    ),
    "whether a route matches": (
        "starlette",
        "app.py",
        lambda: Mount("/a", Sub()).matches({"type": "http", "path": "/a/b", "method": "GET"})[0] is Match.FULL,
        True,
    ),
    "what an offer leaves": (
        "httptools",
        "lines/protocol.py",
        lambda: Reading().read(OFFER),
        [True, b"POST", "1.1", b"body"],
    ),
    "what writes the help": (
        "typer",
        "cli/help.py",
        lambda: all(map(TyperCommand.__dict__.__contains__, ("format_options", "format_help"))),
        True,
    ),
}
"""The dependency, the module of mockd, and what it gets: a pattern if it is text, otherwise a value."""


@pytest.mark.parametrize("what", RELIED_ON)
def test_what_is_relied_on_is_as_it_was(what: str) -> None:
    dependency, module, get, expected = RELIED_ON[what]
    told = f"{dependency} {version(dependency)} has changed {what}, on which mockd/{module} relies"
    try:
        got = get()
    except (AttributeError, TypeError, pytest.fail.Exception) as error:
        pytest.fail(f"{told}: {type(error).__name__}: {error}")
    if isinstance(got, str):
        assert re.fullmatch(expected, got, re.DOTALL), told
    else:
        assert got == expected, told


@pytest.mark.parametrize("dependency", sorted({row[0] for row in RELIED_ON.values()} - {"httptools"} | {"uvicorn"}))
def test_its_version_is_bounded(dependency: str) -> None:
    """httptools comes with uvicorn."""
    requirement = REQUIREMENTS[dependency]
    assert requirement.specifier.contains(version(dependency))
    assert [bound for bound in requirement.specifier if bound.operator == "<"], f"{dependency} has no upper bound"


def test_the_modules_are_there() -> None:
    root = Path(__file__).parents[2] / "mockd"
    assert [module for _, module, _, _ in RELIED_ON.values() if not (root / module).is_file()] == []
