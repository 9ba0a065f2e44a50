"""The key of a request: from a header, or from the first segment of its path."""

from __future__ import annotations

import re

from msgspec import Struct

from mockd.errors import InvalidKeyError
from mockd.request import RequestView, header_text
from mockd.settings import Settings

MARK = "/~"
"""The beginning of a path whose first segment has a key."""
LONGEST_KEY = 100
"""Most characters of a key."""
_WHAT_IT_IS = f"a key is 1 to {LONGEST_KEY} of A-Z a-z 0-9 . _ -"


def check_key(key: str) -> None:
    """Raise `InvalidKeyError` for text that is no key."""
    if not re.fullmatch(rf"[A-Za-z0-9._-]{{1,{LONGEST_KEY}}}", key):
        shown = key if len(key) <= LONGEST_KEY else key[:LONGEST_KEY] + "…"
        raise InvalidKeyError(f"{shown!r} is no key: {_WHAT_IT_IS}")


class KeyRules(Struct, frozen=True):
    """The places in which requests have their keys: the header of that name, if it is not empty, or the path."""

    header_name: str
    has_path: bool
    is_required: bool

    @classmethod
    def of(cls, settings: Settings) -> KeyRules:
        return cls(settings.key_header, settings.key_path, settings.key_required)

    @property
    def header(self) -> bytes:
        """The name of the header as it is in a request."""
        return self.header_name.lower().encode()

    @property
    def beginnings(self) -> tuple[str, ...]:
        """The beginnings of paths of requests that must be looked at, even if they do not have the header."""
        return ("",) if self.is_required else (MARK,) if self.has_path else ()

    def read(self, request: RequestView) -> None:
        """Note the key of a request, and cut it off its path. If there is none that can be used, note why."""
        request.is_keyed = True
        try:
            of_header, (of_path, path) = self._of_header(request), self._of_path(request)
            if of_header and of_path and of_header != of_path:
                raise InvalidKeyError(f"the header has the key {of_header!r}, and the path has {of_path!r}")
            key = of_header or of_path
            if self.is_required and not key:
                raise InvalidKeyError(f"every request needs a key here: {self._places}; {_WHAT_IT_IS}")
        except InvalidKeyError as error:
            request.key_error = error
            return
        request.key, request.path = key, path
        if self.has_path and key:
            request.key_path = MARK + key

    @property
    def _places(self) -> str:
        places = [f"the header {self.header_name}"] if self.header_name else []
        return " or ".join([*places, *(["the path, as in /~KEY/path"] if self.has_path else [])])

    def _of_header(self, request: RequestView) -> str:
        header = self.header
        values = [value for name, value in request.scope["headers"] if name == header]
        if len(values) > 1:
            raise InvalidKeyError(f"the header {self.header_name} is there {len(values)} times")
        if not values:
            return ""
        key = header_text(values[0])
        check_key(key)
        return key

    def _of_path(self, request: RequestView) -> tuple[str, str]:
        """The key in a path, and the path without it."""
        if not (self.has_path and request.path.startswith(MARK)):
            return "", request.path
        key, slash, rest = request.path[len(MARK) :].partition("/")
        check_key(key)
        return key, slash + rest or "/"
