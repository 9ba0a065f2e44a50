"""The criteria of a request, as users write them."""

# This module does not postpone its annotations: msgspec would have to compile each of them at every start.

from typing import Annotated, Any

from msgspec import UNSET, field

from mockd.config.base import Config, doc, one_of
from mockd.patterns import check_pattern

METHODS = ("GET", "POST", "PUT", "DELETE", "PATCH", "HEAD", "OPTIONS", "TRACE", "QUERY")


class ValueTest(Config, frozen=True, kw_only=True, omit_defaults=True):
    """A criterion for a header or query parameter in place of its value."""

    exists: Annotated[bool | None, doc("`true`: it is there, with any value. `false`: it is not there.")] = None
    pattern: Annotated[str | None, doc("Regular expression that is searched for in its value.")] = None

    def __post_init__(self) -> None:
        one_of(self, "a criterion", ("exists", "pattern"))
        if self.pattern is not None:
            check_pattern(self.pattern, "pattern")


class Recorded(Config, frozen=True, kw_only=True, omit_defaults=True):
    """A recorded request. What was redacted in it stands for any value that is there."""

    query: Annotated[dict[str, list[str]] | None, doc("Query parameters with their values; absent: any.")] = None
    body: Annotated[Any, doc("JSON body; absent: any body.")] = UNSET
    ignore: Annotated[list[str], doc("JSONPaths of the members of the body that are not compared.")] = []
    redacted: Annotated[
        list[str], doc("Places of what was redacted: `query`, `query:NAME`, `input`, `input:NAME`.")
    ] = []


class Matcher(Config, frozen=True, kw_only=True, omit_defaults=True):
    """The requests that a mock answers: every criterion that is given must match."""

    method: Annotated[str | None, doc("HTTP method, in any case. Absent: every method.")] = None
    path: Annotated[
        str | None,
        doc("Path. `{name}` stands for one segment, `*` for any characters, even `/`. A trailing slash matters."),
    ] = None
    path_pattern: Annotated[str | None, doc("Regular expression that is searched for in the path.")] = None
    headers: Annotated[
        dict[str, str | ValueTest],
        doc('Header values, in which `*` stands for any characters; or `{"exists": false}` and the like.'),
    ] = {}
    query_params: Annotated[
        dict[str, str | ValueTest],
        doc(
            "Exact values of query parameters; empty text: present, but without a value. "
            'Or `{"exists": false}` and the like.'
        ),
    ] = {}
    body_contains: Annotated[str | None, doc("Text that the body contains.")] = None
    body_equals: Annotated[str | None, doc("The exact body.")] = None
    body_pattern: Annotated[str | None, doc("Regular expression that is searched for in the body.")] = None
    recorded: Annotated[
        Recorded | None, doc("A recorded request, whose query and JSON body the request must have, and no more.")
    ] = None
    body_json_path: Annotated[
        dict[str, Any],
        doc(
            'For each JSONPath (RFC 9535), the value that the JSON body must have there, or `{"exists": true}` if any '
            "value will do."
        ),
    ] = {}
    not_: Annotated["Matcher | None", doc("Another matcher, which must not match.")] = field(default=None, name="not")

    def __post_init__(self) -> None:
        if self.method is not None and self.method.upper() not in METHODS:
            raise ValueError(f"method: {self.method!r} is not one of {', '.join(METHODS)}")
        if self.path is not None and self.path_pattern is not None:
            raise ValueError("give either `path` or `pathPattern`")
        if self.path is not None and not self.path.startswith(("/", "*")):
            raise ValueError(f"path: {self.path!r} does not start with `/`")
        for name, pattern in (("pathPattern", self.path_pattern), ("bodyPattern", self.body_pattern)):
            if pattern is not None:
                check_pattern(pattern, name)
        if all(not getattr(self, field) and getattr(self, field) != "" for field in self.__struct_fields__):
            raise ValueError('a matcher needs at least one criterion; `path: "/*"` matches every request')
