"""Requests without the credentials in them: each is replaced by a hash, which is the same for the same credential as
long as the process lives, and by which nobody can find it."""

from __future__ import annotations

import hmac
import json
import re
import secrets
from collections.abc import Iterator
from typing import Any
from urllib.parse import quote_plus, unquote, unquote_plus

from mockd.journal import credentials
from mockd.journal.schemas import describes
from mockd.request import LARGE_BODY, NOT_JSON, RequestView, once

_KEY = secrets.token_bytes(32)
_SHOWN_OF_LARGE = 4096
"""Bytes of a body larger than `LARGE_BODY` of which something may be shown."""


def hashed(value: str) -> str:
    """What stands for a credential."""
    return "hmac-sha256:" + hmac.digest(_KEY, value.encode("utf-8", "surrogatepass"), "sha256").hex()[:32]


def header(name: str, value: str) -> str:
    """The value of a header, as it may be shown."""
    return hashed(value) if credentials.is_credential("headers", name) else _inside(value)


def parameter(name: str, value: str) -> str:
    """The value of a query parameter, as it may be shown."""
    return hashed(value) if credentials.is_credential("query_params", name) else _inside(value)


def body(text: str) -> str:
    """A body, as it may be shown: as it came if there is no credential in it. Otherwise JSON is written anew."""
    if "\0" in text:  # UTF-16, in which there is one beside each letter
        plain = text.replace("\0", "")
        shown = body(plain)
        return text if shown == plain else shown
    if not _MAY_HAVE.search(re.sub("[-_]", "", text)):
        return text
    try:
        return _json(text)
    except (ValueError, RecursionError):
        return _form(text) if _FORM.fullmatch(text) else _text(text)


class View(RequestView):
    """A request, as it may be shown. Of a large body there is only the beginning, beside what it is as JSON."""

    def __init__(self, request: RequestView) -> None:
        self.__dict__ |= request.__dict__
        for name in ("json", "text"):
            self.__dict__.pop(name, None)
        self._request = request
        text = request.text if len(request.body) <= LARGE_BODY else request.text[:_SHOWN_OF_LARGE]
        self.body = body(text).encode("utf-8", "surrogatepass")
        self.headers = {name: [header(name, value) for value in values] for name, values in request.headers.items()}
        self.query = {name: [parameter(name, value) for value in values] for name, values in request.query.items()}

    @once
    def json(self) -> Any:
        """The body as JSON, or `NOT_JSON`."""
        try:
            return NOT_JSON if self._request.json is NOT_JSON else value(self._request.json)
        except RecursionError:
            return NOT_JSON


def value(found: Any) -> Any:
    """A JSON value, as it may be shown."""
    if isinstance(found, str):
        return _inside(found)
    if isinstance(found, list):
        return [value(item) for item in found]
    return {name: member(name, item) for name, item in found.items()} if isinstance(found, dict) else found


def member(name: str, item: Any) -> Any:
    """The value of a member of a JSON object, as it may be shown."""
    is_harmless = item is None or isinstance(item, bool) or not credentials.is_credential("body", name)
    if is_harmless or describes(item):
        return value(item)
    return hashed(item if isinstance(item, str) else _dumped(item))


# -- what is JSON, a form, or neither ----------------------------------------------------------------------------------

_MAY_HAVE = re.compile(rf"{'|'.join(credentials.ENDINGS)}|token|codeverifier|\\u|%|bearer|basic|://", re.IGNORECASE)
"""What a text has in which there may be a credential, if `-` and `_` are left out of it."""
_FORM = re.compile(r"""[^\s"'{}<>&=:]+=[^\r\n]*""")
_NAMED = re.compile(r"""(?<![\w%.\\\[\]-])([\w%.\\\[\]-]{1,100})["']?\s*([:=])\s*""")
"""A name and what stands between it and its value. No run of such characters is looked through twice."""
_VALUES = {
    separator: re.compile(
        rf"""(?P<mark>\\{{0,15}}["'])(?P<marked>.*?)(?=(?<!\\)(?P=mark)|\Z)|(?P<nested>[\[{{].*)|(?P<bare>[^{ends}]*)""",
        re.DOTALL,
    )
    for separator, ends in ((":", r",}}&\r\n"), ("=", r"&\r\n"))
}
"""Values by what stands before them. The end of one that is nested is not looked for."""
_PART = re.compile(
    r"""(\bname\*?=["']?([^"'\r\n;=]{1,100})(?:["';][^\r\n]{0,200})?(?:\r?\n[^\r\n]{1,500}){0,10}\r?\n\r?\n)(.*?)(?=\r?\n--|\Z)""",
    re.DOTALL | re.IGNORECASE,
)
"""A part of several: what stands before its content, its name, and its content."""
_ESCAPED = re.compile(r"\\u([0-9a-fA-F]{4})")


def _json(text: str) -> str:
    """A text that is JSON. Raises `ValueError` and `RecursionError`."""
    is_ambiguous = False

    def members(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
        nonlocal is_ambiguous
        found = dict(pairs)
        is_ambiguous = is_ambiguous or len(found) < len(pairs)  # one that is overwritten may be a credential
        return found

    found = json.loads(text, object_pairs_hook=members)
    shown = value(found)
    return text if shown == found and not is_ambiguous else _dumped(shown)


def _dumped(found: Any) -> str:
    text = json.dumps(found, ensure_ascii=False, separators=(",", ":"))
    try:
        text.encode()
    except UnicodeEncodeError:  # of one half of a pair of surrogates
        return json.dumps(found, separators=(",", ":"))
    return text


def _form(text: str) -> str:
    """A text that is a form, whose fields may be encoded."""
    return "&".join(_field(*field.partition("=")) for field in text.split("&"))


def _field(name: str, mark: str, encoded: str) -> str:
    content = unquote_plus(encoded)
    if mark and credentials.is_credential("body", unquote_plus(name)):
        return name + mark + hashed(content)
    shown = _inside(_text(content))
    return name + mark + (encoded if shown == content else quote_plus(shown))


def _text(text: str) -> str:
    """A text of any other kind: JSON that was cut off or has a mistake, several lines of it, or a form in parts."""
    return _in_urls("".join(_pieces(_PART.sub(_part, text))))


def _part(found: re.Match[str]) -> str:
    return found[1] + hashed(found[3]) if credentials.is_credential("body", found[2]) else found[0]


def _pieces(text: str) -> Iterator[str]:
    place = 0
    while (named := _NAMED.search(text, place)) is not None:
        yield text[place : named.end()]
        place = named.end()
        if credentials.is_credential("body", _ESCAPED.sub(_character, unquote(named[1]))):
            given = _VALUES[named[2]].match(text, place)
            assert given is not None
            yield (given["mark"] or "") + hashed(text[given.start(given.lastgroup or 0) : given.end()])
            place = given.end()
    yield text[place:]


def _character(found: re.Match[str]) -> str:
    return chr(int(found[1], 16))


# -- what is in a text that is no credential as a whole ----------------------------------------------------------------

_WITH_SCHEME = re.compile(r"\s*(?:Bearer|Basic|Token)\s+[\w.~+/=-]{8,}\s*", re.IGNORECASE)
_USER = re.compile(r"(?<=://)[^/@\s?#\"']+(?=@)")
_IN_URL = re.compile(r"""([?&;#]([\w.%+\[\]-]{1,100})=)([^&;#\s"'<>]*)""")


def _inside(text: str) -> str:
    if _WITH_SCHEME.fullmatch(text):
        return hashed(text)
    if text.lstrip().startswith(("{", "[")):
        text = body(text)
    return _in_urls(text)


def _in_urls(text: str) -> str:
    if "://" in text:
        text = _USER.sub(lambda found: hashed(found[0]), text)
    return _IN_URL.sub(_in_url, text) if "=" in text else text


def _in_url(found: re.Match[str]) -> str:
    is_secret = credentials.is_credential("query_params", unquote(found[2]))
    return found[1] + hashed(found[3]) if is_secret else found[0]
