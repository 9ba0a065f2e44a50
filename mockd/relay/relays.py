"""What all relays of an engine share: who may use them, how targets are connected, and where exchanges are recorded."""

from __future__ import annotations

import ssl
from collections.abc import Sequence
from functools import cached_property
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING
from urllib.parse import quote

from mockd.callers import Callers
from mockd.clock import Clock
from mockd.errors import ConfigError
from mockd.patterns.wildcards import fits_pieces
from mockd.relay.connecting import HTTP1, HTTP2, connect
from mockd.relay.heads import Headers
from mockd.relay.recorded import Apart, Notes
from mockd.relay.upstream import Upstream
from mockd.request import IN_PATHS, RequestView
from mockd.settings import Settings, option, spelling
from mockd.targets import Proxy, Route, Target

if TYPE_CHECKING:
    from mockd.recordings.writing import Recorder


class Relays:
    """The relays of one engine, as its settings say. Raises `ConfigError` for settings that cannot be used."""

    def __init__(self, settings: Settings, clock: Clock) -> None:
        self._settings = settings
        self._clock = clock
        self._apart = Apart()
        self.callers = Callers(settings.proxy_allow_host, settings.proxy_allow_origin)
        self.key_header = settings.key_header.lower().encode()
        self.passes_encodings = settings.accept_encoding == "client"
        self._allowed = [Target.read(url) for url in settings.proxy_allow]
        self._allowed += [Route.read(route).target for route in settings.proxy]
        self._via = None if settings.upstream_proxy is None else Proxy.read(settings.upstream_proxy)
        if settings.ca is not None:
            _ = self._tls  # whose certificates can be wrong
        if settings.http2 and find_spec("h2") is None:
            raise ConfigError(f"{spelling('http2')}: h2 is not installed", hint="install `mockd[http2]`")
        _ = self.recorder  # so that no exchange waits for it

    def allows(self, target: Target) -> bool:
        """Whether mocks from the admin API may relay to a target."""
        return any(allowed.has(target) for allowed in self._allowed)

    async def connect(self, target: Target) -> Upstream:
        """A new connection to a target. Raises `UnreachableError`."""
        return await connect(target, self._tls if target.is_secure else None, self._via)

    @cached_property
    def _tls(self) -> ssl.SSLContext:
        try:
            context = ssl.create_default_context(cafile=self._settings.ca)
        except OSError as error:
            raise ConfigError(
                f"{spelling('ca')}: {self._settings.ca} cannot be used: {error.strerror or error}",
                hint="name a file of certificates in PEM",
            ) from None
        if self._settings.insecure:
            context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
        context.set_alpn_protocols([HTTP2, HTTP1] if self._settings.http2 else [HTTP1])
        return context

    # -- recording -------------------------------------------------------------------------------------------------

    @cached_property
    def recorder(self) -> Recorder | None:
        """What records exchanges; None if there is no folder for them."""
        settings = self._settings
        if settings.record is None:
            return None
        from mockd.recordings.redaction import Redaction
        from mockd.recordings.writing import Recorder, unusable

        redaction = Redaction.of(settings.redact, settings.redact_env, settings.redact_pattern)
        recorder = Recorder(Path(settings.record), redaction, self._clock, settings.max_bytes or None)
        if self.why_closed is None:
            try:
                recorder.files.prepare()
            except OSError as error:
                raise ConfigError(f"{spelling('record')}: {unusable(recorder.files.folder, error)}") from None
        return recorder

    @cached_property
    def why_closed(self) -> str | None:
        """Why what is not recorded yet is refused and not relayed, by the mode of recording and what was in the folder
        at first; None if it is relayed."""
        mode = option("record_mode")
        if self._settings.record is None or self._settings.record_mode in ("all", "new"):
            return None
        if self._settings.record_mode == "none":
            return f"{mode} none records nothing"
        if not _has_recordings(Path(self._settings.record)):
            return None
        return f"{mode} once records nothing new into a folder with recordings; {mode} new does"

    def notes(self, request: RequestView, url: str, headers: Headers, *, are_wanted: bool) -> Notes:
        """Notes for the recording of an exchange with that URL, if they are wanted."""
        recorder = self.recorder if are_wanted and self._is_chosen(request.path) else None
        recording = None
        if recorder is not None:
            asked, version = quote(request.path, safe=IN_PATHS), request.scope.get("http_version", "1.1")
            recording = recorder.begin(request.method, url, headers, version, asked)
        return Notes(recording, self._clock, self._apart)

    async def settled(self) -> None:
        """Wait until all that was relayed so far is recorded."""
        await self._apart.settled()

    def _is_chosen(self, path: str) -> bool:
        settings = self._settings
        is_meant = not settings.only or _fits_one(settings.only, path)
        return is_meant and not _fits_one(settings.skip, path)


def _fits_one(texts: Sequence[str], path: str) -> bool:
    return any(fits_pieces(text.split("*"), path) for text in texts)


def _has_recordings(folder: Path) -> bool:
    return next(folder.rglob("*.stream.jsonl"), None) is not None
