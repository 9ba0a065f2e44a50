"""Cassettes of vcrpy, in YAML, which pydantic-ai's tests have too, with bodies parsed.

vcrpy stores an answer that came in gzip decoded, but with its `Content-Encoding` and the length that it had: both are
mended here.
"""

from __future__ import annotations

from base64 import b64decode
from collections.abc import Iterable, Iterator
from typing import Any

import msgspec

from mockd.errors import ConfigError
from mockd.recordings.conversions.bodies import Say, mended, mistake
from mockd.recordings.lines import Begun, End, Head, Headers, Input, Line, Output
from mockd.recordings.reading import Exchange
from mockd.recordings.rewriting import Story

_NOT_CARRIED = "a cassette carries no pieces, no times, and not how it ended"


def read(content: bytes, say: Say) -> Iterator[Story]:
    """The exchanges of a cassette. Raises `ConfigError` if it is none."""
    import yaml

    try:
        found = yaml.load(content, Loader=_loader())["interactions"]
    except (yaml.YAMLError, KeyError, TypeError, ValueError) as error:
        raise ConfigError(f"not a cassette: {mistake(error)}") from None
    say("a cassette says nothing of pieces, times and ends: each answer comes at once, as one piece")
    for number, interaction in enumerate(found or []):
        try:
            yield _story(interaction, say)
        except (KeyError, TypeError, ValueError, AttributeError) as error:
            raise ConfigError(f"interaction {number} is not as it should be: {mistake(error)}") from None


def _story(interaction: dict[str, Any], say: Say) -> Story:
    request, response = interaction["request"], interaction["response"]
    sent, body = _body(request), _body(response)
    begun = Begun(
        method=request["method"],
        url=request.get("uri") or request["url"],
        headers=_headers(request),
        recorded_at=str(interaction.get("recorded_at") or ""),
    )
    status = response.get("status")
    code, reason = (
        (status["code"], status.get("message")) if isinstance(status, dict) else (response["status_code"], "")
    )
    head, decoded = mended(Head(status=int(code), reason=reason or "", headers=_headers(response)), body)
    inputs: list[tuple[int, Line]] = [(0, Input(data=sent))] if sent else []
    outputs: list[tuple[int, Line]] = [(0, Output(data=body))] if body else []
    return Story(begun, [*inputs, (0, head), *outputs, (0, End(how="complete", decoded=decoded))])


def _body(message: dict[str, Any]) -> bytes:
    """The body of a request or an answer, in any of the forms that there are."""
    if "parsed_body" in message:  # pydantic-ai's
        return msgspec.json.encode(message["parsed_body"])
    body = message.get("body", message.get("content"))
    if isinstance(body, dict):
        if "base64_string" in body:
            return b64decode(body["base64_string"])
        body = body.get("string")
    if body is None:
        return b""
    return body if isinstance(body, bytes) else str(body).encode("utf-8", "surrogatepass")


def _headers(message: dict[str, Any]) -> Headers:
    headers = message.get("headers") or {}
    return [
        (name, str(value))
        for name, values in headers.items()
        for value in (values if isinstance(values, list) else [values])
    ]


def _loader() -> Any:
    """A loader in which times stay text."""
    import yaml

    class Loader(getattr(yaml, "CSafeLoader", yaml.SafeLoader)):  # type: ignore[misc]
        pass

    Loader.yaml_implicit_resolvers = {
        first: [(tag, pattern) for tag, pattern in resolvers if tag != "tag:yaml.org,2002:timestamp"]
        for first, resolvers in Loader.yaml_implicit_resolvers.items()
    }
    return Loader


def write(exchanges: Iterable[Exchange], say: Say) -> str:
    """A cassette that vcrpy replays."""
    import yaml

    say(_NOT_CARRIED)
    interactions = []
    for exchange in exchanges:
        if exchange.head is None:
            say(f"{exchange.begun.method} {exchange.begun.url[:200]} has no answer, and is left out")
            continue
        body = b"".join(data for _, data in exchange.output())
        head, _ = mended(exchange.head, body)
        sent = exchange.input()
        interactions.append(
            {
                "request": {
                    "body": _text(sent) if sent else None,
                    "headers": _grouped(exchange.begun.headers),
                    "method": exchange.begun.method,
                    "uri": exchange.begun.url,
                },
                "response": {
                    "body": {"string": _text(body)},
                    "headers": _grouped(_unframed(head.headers)),
                    "status": {"code": head.status, "message": head.reason},
                },
            }
        )
    return yaml.safe_dump({"interactions": interactions, "version": 1}, allow_unicode=True, sort_keys=True)


def _text(data: bytes) -> str | bytes:
    try:
        return data.decode()
    except UnicodeDecodeError:
        return data


def _unframed(headers: Headers) -> Headers:
    """The headers of a body that is there as a whole."""
    return [(name, value) for name, value in headers if name.lower() != "transfer-encoding"]


def _grouped(headers: Headers) -> dict[str, list[str]]:
    grouped: dict[str, list[str]] = {}
    for name, value in headers:
        grouped.setdefault(name, []).append(value)
    return grouped
