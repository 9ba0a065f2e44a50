"""The gates of a preset: keys that its requests need, how long they may be, and rate limits of its clients."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING

from mockd.settings import Settings
from mockd.source import Source

if TYPE_CHECKING:
    from mockd.sources.llm.refusals.rates import Rate
    from mockd.sources.llm.wires.wire import Wire

Around = Callable[[Source], Source]


class Gates:
    """The gates before a preset's services, as the settings want them. `wires` has the template whose wire speaks for
    each provider."""

    def __init__(self, settings: Settings, wires: Mapping[str, str]) -> None:
        self._keys = settings.require_key
        self._per_minute = {"requests": settings.rpm, "tokens": settings.tpm}
        self._context_window = settings.context_window
        self._explains = settings.explain
        self._wires = wires

    def before(self, provider: str, template: str | None, method: str) -> Around | None:
        """What stands before a service of a provider, which a template answers if there is one; None if everybody may
        use it at any rate."""
        if not (self._keys or any(self._per_minute.values()) or self._context_window):
            return None
        from mockd.sources.llm import WIRES, wire_of
        from mockd.sources.llm.refusals.gate import Gate
        from mockd.sources.llm.replies.params import ReplyParams
        from mockd.sources.llm.wires.access import digest_of

        own, wire = self._wire_of(provider, self._wires[provider]), self._wire_of(provider, template)
        reader = wire_of(template)(ReplyParams()) if template in WIRES else None
        return Gate(
            provider,
            wire,
            tuple(dict.fromkeys((*own.access.carriers, *wire.access.carriers))),
            tuple(digest_of(key.encode()) for key in self._keys),
            self._rates(),
            is_counted=template is not None and method == "POST",
            reader=reader,
            context_window=self._context_window,
            explains=self._explains,
        ).around

    def _rates(self) -> dict[str, Rate]:
        from mockd.sources.llm.refusals.rates import Rate

        return {kind: Rate(most) for kind, most in self._per_minute.items() if most is not None}

    def _wire_of(self, provider: str, template: str | None) -> Wire:
        """The wire in whose words a service refuses: its own, or its provider's if it has none. Azure's gateway
        speaks for all services there."""
        from mockd.sources.llm import wire_behind
        from mockd.sources.llm.replies.params import ReplyParams
        from mockd.sources.llm.wires.openai import OpenAIWire

        own = wire_behind(self._wires[provider])
        found = own if template is None else wire_behind(template)
        assert own is not None
        if found is None or (issubclass(found, OpenAIWire) and issubclass(own, OpenAIWire)):
            found = own
        return found(ReplyParams())
