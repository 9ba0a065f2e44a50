"""From a preset's table to mocks, which are read as those of configuration files are."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from msgspec import Struct

from mockd.config.load import MockSpec, parse_mock
from mockd.errors import ConfigError
from mockd.expressions import compile_value
from mockd.presets.script import Script, read_script
from mockd.settings import Settings, spelling
from mockd.sources.llm.reply import ReplyParams
from mockd.sources.registry import SourceKind, find_kind

PRIORITY = -1_000_000
"""Of a preset's mocks: whatever users write wins over them."""

_VERSION = re.compile(r"^/v\d\w*(?=/)")


class Route(Struct, frozen=True):
    """One endpoint of a provider, and what answers there: a template, or a body that is always the same.

    It is at the provider's own `path`, there only for requests that have what `only` says (as in a matcher), and under
    the provider's name, with its version and without. `name` is what it does, for the mock's id.
    """

    provider: str
    name: str
    path: str
    template: str | None = None
    body: Any = None
    method: str = "POST"
    only: Mapping[str, Any] = {}

    def matchers(self) -> Iterator[dict[str, Any]]:
        """Which requests it is for; one for each place."""
        yield {"method": self.method, "path": self.path, **self.only}
        unversioned = _VERSION.sub("", self.path, count=1)
        for path in dict.fromkeys((self.path, unversioned)):
            yield {"method": self.method, "path": f"/{self.provider}{path}"}


class Preset(Struct, frozen=True):
    """Mocks that come with mockd. `base_urls` says what to give each provider's client as its URL, as a path."""

    name: str
    summary: str
    base_urls: Mapping[str, str]
    routes: Sequence[Route]

    def mocks(self, settings: Settings) -> list[MockSpec]:
        """Its mocks, shaped by the settings. Raises `ConfigError` for a script that is wrong."""
        script = read_script(settings.preset_script) if settings.preset_script is not None else None
        answers = _Answers(settings, script)
        found: dict[str, dict[str, Any]] = {}
        for route in self.routes:
            base = f"{self.name}-{route.provider}-{route.name}"
            for number, matcher in enumerate(route.matchers(), 1):
                mock_id = base if number == 1 else f"{base}-{number}"
                # Where two providers say the same in the same place, the first one stands for both.
                found.setdefault(repr(matcher), {"id": mock_id, "matcher": matcher, **answers.of(route)})
        if script is not None:
            script.tell_what_is_left_out()
        return [parse_mock({**mock, "priority": PRIORITY}, root=None) for mock in found.values()]


class _Answers:
    """What the routes of a preset answer, with settings that are the same for all."""

    def __init__(self, settings: Settings, script: Script | None) -> None:
        self._script = script
        text = settings.preset_text
        self._said = {"echo": True} if text is None else {"text": _checked(text)}
        timing = {"ttft": settings.ttft, "itl": settings.itl, "tokensPerSecond": settings.tokens_per_second}
        self._timing = {name: value for name, value in timing.items() if value is not None}

    def of(self, route: Route) -> dict[str, Any]:
        """The part of a mock that says what is sent."""
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
    """The same text. Raises `ConfigError` where it has expressions that are none."""
    try:
        compile_value(text)
    except ConfigError as error:
        raise ConfigError(f"{spelling('preset_text')}: {error.problems[0].message}", hint=error.hint) from None
    return text
