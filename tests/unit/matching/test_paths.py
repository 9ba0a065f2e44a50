from __future__ import annotations

import pytest

from mockd.errors import ConfigError
from mockd.matching.paths import PathIndex, parse_path
from mockd.patterns import APART, Effort

CASES = [
    # exact: from end to end, case and trailing slash count
    ("/events", "/events", {}),
    ("/events", "/events/", None),
    ("/events/", "/events", None),
    ("/events", "/Events", None),
    ("/events", "/events/1", None),
    ("/", "/", {}),
    ("/", "", None),
    ("/a//b", "/a//b", {}),
    ("/a//b", "/a/b", None),
    # a pattern may be written percent-encoded; the path it is compared with is decoded
    ("/caf%C3%A9", "/café", {}),
    ("/café", "/café", {}),
    ("/a%20b", "/a b", {}),
    ("/a%2Fb", "/a/b", {}),
    ("/100%", "/100%", {}),
    ("/%7Bid%7D", "/{id}", {}),
    ("/%7Bid%7D", "/7", None),
    ("/%2A", "/*", {}),
    ("/%2A", "/x", None),
    ("/a.b+c", "/a.b+c", {}),
    ("/a.b+c", "/aXb+c", None),
    # {name}: one segment or a part of one, never empty
    ("/users/{id}", "/users/7", {"id": "7"}),
    ("/users/{id}", "/users/", None),
    ("/users/{id}", "/users/7/", None),
    ("/users/{id}", "/users/7/posts", None),
    ("/users/{id}/", "/users/7/", {"id": "7"}),
    ("/users/{user-id}", "/users/a b", {"user-id": "a b"}),
    ("/{a}/{b}", "/1/2", {"a": "1", "b": "2"}),
    ("/files/{x}.json", "/files/a.json", {"x": "a"}),
    ("/files/{x}.json", "/files/a.b.json", {"x": "a.b"}),
    ("/files/{x}.json", "/files/.json", None),
    ("/files/{x}.json", "/files/a_json", None),
    ("/v{n}/x", "/v12/x", {"n": "12"}),
    ("/v{n}/x", "/w12/x", None),
    ("/{from}-{to}", "/1-2-3", {"from": "1-2", "to": "3"}),
    ("/{a}{b}", "/xyz", {"a": "xy", "b": "z"}),
    ("/caf%C3%A9/{id}", "/café/1", {"id": "1"}),
    ("/line/{id}", "/line/a\nb", {"id": "a\nb"}),
    # *: any characters or none, slashes included
    ("/a/*", "/a/", {}),
    ("/a/*", "/a/b", {}),
    ("/a/*", "/a/b/c", {}),
    ("/a/*", "/a", None),
    ("/a*", "/a", {}),
    ("/a*/b", "/ax/b", {}),
    ("/a*/b", "/ax/y/b", {}),
    ("/a*/b", "/ax/bcd", None),
    ("*", "/", {}),
    ("*", "", {}),
    ("/*", "/a/b", {}),
    ("/**/x", "/a/b/x", {}),
    ("*/health", "/a/b/health", {}),
    ("*.json", "/a/b.json", {}),
    ("/a*a", "/a", None),
    ("/a*a", "/aa", {}),
    ("/*a*b*", "/xxbxaxb", {}),
    ("/*a*b*", "/bba", None),
    ("/*ab*b", "/abab", {}),
    ("/a/*", "/a/\n", {}),
    # both
    ("/{tenant}/files/*", "/t/files/a/b", {"tenant": "t"}),
    ("/{tenant}/files/*", "/t/u/files/a", None),
    ("/x/*/{name}.txt", "/x/a/b/c.txt", {"name": "c"}),
    ("/x*{id}/end", "/xab/end", {"id": "b"}),
    ("*/{id}-*-z", "/a/b/1-2-z", {"id": "1"}),
]


@pytest.mark.parametrize(("template", "path", "captures"), CASES)
def test_template_fits_whole_decoded_paths(template: str, path: str, captures: dict[str, str] | None) -> None:
    compiled = parse_path(template)
    assert compiled.fits(path, Effort(APART)) is (captures is not None)
    if captures is not None:
        assert compiled.captures(path, Effort(APART)) == captures


@pytest.mark.parametrize(("template", "path", "captures"), CASES)
def test_index_finds_what_fits(template: str, path: str, captures: dict[str, str] | None) -> None:
    compiled = parse_path(template)
    index: PathIndex[str] = PathIndex()
    index.add(compiled, "entry")
    found = index.find(path) == [["entry"]]
    assert found or captures is None
    if not compiled.has_star:
        assert found is (captures is not None)


@pytest.mark.parametrize(
    ("template", "score"),
    [("/a", 15), ("/a%2Ab", 15), ("/a/{id}", 12), ("/a/v{n}.json", 12), ("/a/*", 10), ("/{a}/*", 10), ("*", 10)],
)
def test_more_specific_templates_score_more(template: str, score: int) -> None:
    assert parse_path(template).score == score


@pytest.mark.parametrize("template", ["/{", "/}", "/a}", "/{}", "/{a:int}", "/{rest:.*}", "/{a/b}", "/{{a}}", "/{a"])
def test_brace_that_is_no_capture_is_refused(template: str) -> None:
    with pytest.raises(ConfigError, match=r"has a brace that is not part of a `\{name\}`") as caught:
        parse_path(template)
    (problem,) = caught.value.problems
    assert problem.path == ("matcher", "path")
    assert problem.hint is not None
    assert "%7B" in problem.hint


@pytest.mark.parametrize("template", ["/{a}/{a}", "/{a}/*/x{a}", "/{a}{b}{a}"])
def test_capture_name_used_twice_is_refused(template: str) -> None:
    with pytest.raises(ConfigError, match=r"has \{a\} more than once") as caught:
        parse_path(template)
    assert caught.value.problems[0].path == ("matcher", "path")


def test_index_keeps_templates_with_the_same_beginning_apart() -> None:
    index: PathIndex[str] = PathIndex()
    for template in ("/api/{x}/one", "/api/{x}/two", "/api/{y}/one", "/api/v{n}/one", "/api/*", "/{any}/v1/one", "*"):
        index.add(parse_path(template), template)
    found = {entry for entries in index.find("/api/v1/one") for entry in entries}
    assert found == {"/api/{x}/one", "/api/{y}/one", "/api/v{n}/one", "/api/*", "/{any}/v1/one", "*"}
    assert index.find("/other") == [["*"]]


def test_many_stars_do_not_make_a_long_path_slow() -> None:
    # Tried at every place, this would not end within a lifetime.
    assert not parse_path("*a*a*a*a*a*a*b").fits("/" + "a" * 5_000, Effort(APART))
