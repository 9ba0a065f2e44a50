"""Making mocks from a preset's table. They are read like the mocks of configuration files."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from msgspec import Struct

from mockd.config.load import MockSpec, parse_mock
from mockd.errors import ConfigError
from mockd.expressions import compile_value
from mockd.presets.script import PresetScript, read_script
from mockd.settings import Settings, spelling
from mockd.sources.llm.reply import ReplyParams
from mockd.sources.registry import SourceKind, find_kind

PRIORITY = -1_000_000
"""Priority of a preset's mocks, so low that users' own mocks win over them."""

_VERSION = re.compile(r"^/v\d\w*(?=/)")


class Route(Struct, frozen=True):
    """One endpoint of a provider, and its answer: a template, or a body that is always the same.

    It is served at the provider's own `path`, there only for requests that meet the criteria `only` (as in a matcher),
    and also under the provider's name, with the version in the path and without. `name` says what it does, for the
    mock's ID.
    """

    provider: str
    name: str
    path: str
    template: str | None = None
    body: Any = None
    method: str = "POST"
    only: Mapping[str, Any] = {}

    def matchers(self) -> Iterator[dict[str, Any]]:
        """The route's matchers, one for each path at which it is served."""
        yield {"method": self.method, "path": self.path, **self.only}
        unversioned = _VERSION.sub("", self.path, count=1)
        for path in dict.fromkeys((self.path, unversioned)):
            yield {"method": self.method, "path": f"/{self.provider}{path}"}


class Endpoint(Struct, frozen=True):
    """One endpoint of a provider at its own path: the matcher of its requests, and the template that answers them."""

    matcher: dict[str, Any]
    template: str


class Preset(Struct, frozen=True):
    """Mocks that come with mockd. `base_urls` has the path of the base URL for each provider's clients."""

    name: str
    summary: str
    base_urls: Mapping[str, str]
    routes: Sequence[Route]

    def mocks(self, settings: Settings) -> list[MockSpec]:
        """The preset's mocks, shaped by the settings. Raises `ConfigError` for a wrong script."""
        script = read_script(settings.preset_script) if settings.preset_script is not None else None
        answers = _Answers(settings, script)
        found: dict[str, dict[str, Any]] = {}
        for route in self.routes:
            base = f"{self.name}-{route.provider}-{route.name}"
            for number, matcher in enumerate(route.matchers(), 1):
                mock_id = base if number == 1 else f"{base}-{number}"
                # If two providers have the same matcher, the first one's mock stands for both.
                found.setdefault(repr(matcher), {"id": mock_id, "matcher": matcher, **answers.of(route)})
        if script is not None:
            script.tell_what_is_left_out()
        return [parse_mock({**mock, "priority": PRIORITY}, root=None) for mock in found.values()]

    def endpoint(self, name: str) -> Endpoint:
        """The endpoint of a provider's chats, or the one that is named with it, as in `openai-responses`. What tells
        providers apart that share a path is left out. Raises `ConfigError` for another name."""
        made = [(route, route.template) for route in self.routes if route.template is not None]
        chats = {route.provider: (route, template) for route, template in reversed(made)}
        named = {f"{route.provider}-{route.name}": (route, template) for route, template in made}
        if name not in chats and name not in named:
            hint = f"known: {', '.join(sorted({*chats, *named}))}"
            raise ConfigError(f"there is no endpoint {name!r} in the preset {self.name!r}", hint=hint)
        route, template = chats.get(name) or named[name]
        # A chat may have a path for each of its methods and versions.
        alike = [other for other, its in made if other.provider == name and its == template]
        paths = [other.path for other in alike] or [route.path]
        return Endpoint({"method": route.method, **_place(paths)}, template)


def _place(paths: Sequence[str]) -> dict[str, str]:
    """The criterion for one of these paths."""
    if len(paths) == 1:
        return {"path": paths[0]}
    patterns = (re.sub(r"\\{\w+\\}", "[^/:]+", re.escape(path)) for path in paths)
    return {"pathPattern": f"^(?:{'|'.join(patterns)})$"}


class _Answers:
    """The answers of a preset's routes, made with the settings that all routes share."""

    def __init__(self, settings: Settings, script: PresetScript | None) -> None:
        self._script = script
        text = settings.preset_text
        self._said = {"echo": True} if text is None else {"text": _checked(text)}
        timing = {"ttft": settings.ttft, "itl": settings.itl, "tokensPerSecond": settings.tokens_per_second}
        self._timing = {name: value for name, value in timing.items() if value is not None}

    def of(self, route: Route) -> dict[str, Any]:
        """The section of a mock that says what is sent: `sse`, `chunked` or `response`."""
        if route.template is None:
            return {"response": {"body": route.body}}
        kind = find_kind(route.template)
        part: dict[str, Any] = {"template": route.template, "templateParams": self._params(kind)}
        if kind.part != "response" and self._timing:
            part["timing"] = self._timing
        return {kind.part: part}

    def _params(self, kind: SourceKind[Any]) -> dict[str, Any]:
        if not issubclass(kind.params, ReplyParams):
            return {"strict": True}
        script = {"script": self._script.for_template(kind.name)} if self._script is not None else {}
        return {"strict": True, **self._said, **script}


def _checked(text: str) -> str:
    """The same text. Raises `ConfigError` if an expression in it is wrong."""
    try:
        compile_value(text)
    except ConfigError as error:
        raise ConfigError(f"{spelling('preset_text')}: {error.problems[0].message}", hint=error.hint) from None
    return text
