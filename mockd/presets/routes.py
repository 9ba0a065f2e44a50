"""Making mocks from a preset's table. They are read like the mocks of configuration files."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from msgspec import Struct
from msgspec.structs import replace

from mockd.config.load import MockSpec, parse_mock
from mockd.errors import ConfigError
from mockd.expressions.expression import compile_value
from mockd.presets.gates import Around, Gates
from mockd.presets.script import PresetScript, read_script
from mockd.settings import Settings, spelling
from mockd.sources.llm import wire_of
from mockd.sources.llm.replies.params import ReplyParams
from mockd.sources.registry import SourceKind, find_kind

PRIORITY = -1_000_000
"""Priority of a preset's mocks, so low that users' own mocks win over them."""

_VERSION = re.compile(r"^/v\d\w*(?=/)")


class Route(Struct, frozen=True):
    """One endpoint of a provider, and its answer: a template, or a body that is always the same, with its `status` and
    `headers`.

    It is served at the provider's own `path`, there only for requests that meet the criteria `only` (as in a matcher),
    and also under the provider's name, with the version in the path and without. `name` says what it does, for the
    mock's ID.
    """

    provider: str
    name: str
    path: str
    template: str | None = None
    body: Any = None
    status: int = 200
    headers: Mapping[str, str] = {}
    method: str = "POST"
    only: Mapping[str, Any] = {}

    def matchers(self) -> Iterator[dict[str, Any]]:
        """The route's matchers, one for each path at which it is served."""
        yield {"method": self.method, "path": self.path, **self.only}
        unversioned = _VERSION.sub("", self.path, count=1)
        for path in dict.fromkeys((self.path, unversioned)):
            yield {"method": self.method, "path": f"/{self.provider}{path}"}


class Base(Route, frozen=True):
    """What is at the base URLs of a provider: at `path`, and at `others`."""

    others: Sequence[str] = ()

    def matchers(self) -> Iterator[dict[str, Any]]:
        for path in (self.path, *self.others):
            yield {"method": self.method, "path": path}
            yield {"method": self.method, "path": f"{path}/"}


class Endpoint(Struct, frozen=True):
    """One endpoint of a provider at its own path: the matcher of its requests, and the template that answers them."""

    matcher: dict[str, Any]
    template: str


class Preset(Struct, frozen=True):
    """Mocks that come with mockd. `bases` has the paths of base URLs of each provider's clients, the usual one first,
    `wires` the template whose wire speaks for the provider, and `targets` the public address of each provider that has
    one. What is at a base says whose it is, as some clients look whether anything is there."""

    name: str
    summary: str
    bases: Mapping[str, Sequence[str]]
    routes: Sequence[Route]
    wires: Mapping[str, str]
    targets: Mapping[str, str] = {}

    @property
    def base_urls(self) -> dict[str, str]:
        """The path of the usual base URL of each provider's clients."""
        return {provider: paths[0] for provider, paths in self.bases.items()}

    def mocks(self, settings: Settings) -> list[MockSpec]:
        """The preset's mocks, shaped by the settings. Raises `ConfigError` for a wrong script."""
        providers = dict.fromkeys(route.provider for route in self.routes)
        script = None if settings.preset_script is None else read_script(settings.preset_script, [*providers])
        answers, gates = _Answers(settings, script), Gates(settings, self.wires)
        found: dict[str, tuple[dict[str, Any], Around | None]] = {}
        for route in (*self.routes, *self._at_bases()):
            gate = gates.before(route.provider, route.template, route.method)
            base = f"{self.name}-{route.provider}-{route.name}"
            for number, matcher in enumerate(route.matchers(), 1):
                mock_id = base if number == 1 else f"{base}-{number}"
                # If two providers have the same matcher, the first one's mock stands for both.
                found.setdefault(repr(matcher), ({"id": mock_id, "matcher": matcher, **answers.of(route)}, gate))
        if script is not None:
            script.tell_what_is_never_said()
        return [
            replace(parse_mock({**mock, "priority": PRIORITY}, root=None), around=gate) for mock, gate in found.values()
        ]

    def _at_bases(self) -> Iterator[Base]:
        """What is at the base URLs, with a slash at the end and without."""
        for provider, paths in self.bases.items():
            body = {"service": provider, "mockedBy": "mockd"}
            yield Base(provider, "base", paths[0], body=body, method="GET", others=paths[1:])

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
        shared = {"autoTools": settings.auto_tools, "sideCalls": settings.side_calls, "explain": settings.explain}
        self._shared = {"strict": True, "obey": True} | {name: True for name, given in shared.items() if given}
        timing = {"ttft": settings.ttft, "itl": settings.itl, "tokensPerSecond": settings.tokens_per_second}
        self._timing = {name: value for name, value in timing.items() if value is not None}

    def of(self, route: Route) -> dict[str, Any]:
        """The section of a mock that says what is sent: `sse`, `chunked` or `response`."""
        if route.template is None:
            return {"response": {"status": route.status, "headers": dict(route.headers), "body": route.body}}
        kind = find_kind(route.template)
        part: dict[str, Any] = {"template": route.template, "templateParams": self._params(kind, route.provider)}
        if kind.part != "response" and self._timing:
            part["timing"] = self._timing
        return {kind.part: part}

    def _params(self, kind: SourceKind[Any], provider: str) -> dict[str, Any]:
        if not issubclass(kind.params, ReplyParams):
            return {"strict": True} | ({"explain": True} if "explain" in self._shared else {})
        script = {} if self._script is None else {"script": self._script.for_template(kind.name)}
        elsewhere = {} if wire_of(kind.name).provider == provider else {"provider": provider}
        return {**self._shared, **elsewhere, **self._said, **script}


def _checked(text: str) -> str:
    """The same text. Raises `ConfigError` if an expression in it is wrong."""
    try:
        compile_value(text)
    except ConfigError as error:
        raise ConfigError(f"{spelling('preset_text')}: {error.problems[0].message}", hint=error.hint) from None
    return text
