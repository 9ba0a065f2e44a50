"""The options of `mockd add`, and the mock that they describe."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Annotated, Any

import typer

from mockd.cli import values

DEFAULT_DELAY_MS = 100
"""Delay between events, in milliseconds, if neither an option nor a template parameter sets one."""


def _many(name: str, metavar: str, help: str) -> Any:
    return typer.Option(name, metavar=metavar, help=help + " Repeatable.")


@dataclass(frozen=True, kw_only=True)
class Flags:
    """Options of `mockd add`. Which of them are given decides whether the answer is SSE, chunked, NDJSON or plain."""

    id: Annotated[str | None, typer.Option("--id", metavar="ID", help="ID; made by mockd if absent.")] = None
    name: Annotated[str | None, typer.Option("--name", metavar="TEXT", help="A name for people.")] = None
    priority: Annotated[
        int | None, typer.Option("--priority", metavar="N", help="Of several that match, the highest wins.")
    ] = None

    method: Annotated[str, typer.Option("--method", "-m", metavar="METHOD", help="HTTP method.")] = "GET"
    path: Annotated[
        str | None, typer.Option("--path", metavar="PATH", help="Path; `{name}` is one segment, `*` any text.")
    ] = None
    path_pattern: Annotated[
        str | None,
        typer.Option("--path-pattern", metavar="REGEX", help="Regular expression to search for in the path."),
    ] = None
    match_header: Annotated[
        list[str] | None, _many("--match-header", "NAME:VALUE", "Header that the request must have.")
    ] = None
    match_query: Annotated[
        list[str] | None, _many("--match-query", "NAME=VALUE", "Query parameter that the request must have.")
    ] = None
    match_body_contains: Annotated[
        str | None, typer.Option("--match-body-contains", metavar="TEXT", help="Text that the body must contain.")
    ] = None

    scenario: Annotated[
        str | None,
        typer.Option("--scenario", metavar="NAME", help="Scenario that the mock is part of: a state that mocks share."),
    ] = None
    when: Annotated[
        list[str] | None,
        _many("--when", "STATE", "State in which the mock matches; a scenario begins in `start`."),
    ] = None
    set: Annotated[
        str | None,
        typer.Option("--set", metavar="STATE", help="State into which a request puts the scenario."),
    ] = None

    sse: Annotated[bool, typer.Option("--sse", help="Answer with Server-Sent Events.")] = False
    sse_event: Annotated[
        list[str] | None,
        _many("--sse-event", "TYPE:DATA", "Event to send; a JSON object or array as data is sent as JSON."),
    ] = None
    sse_template: Annotated[
        str | None, typer.Option("--sse-template", metavar="NAME", help="Built-in template, such as openai-chat.")
    ] = None
    template_param: Annotated[
        list[str] | None, _many("--template-param", "NAME=JSON", "Parameter of the template.")
    ] = None
    sse_delay: Annotated[
        float | None,
        typer.Option(
            "--sse-delay",
            parser=values.duration,
            metavar="MS",
            help=f"Delay between events, in milliseconds; {DEFAULT_DELAY_MS} unless the template sets a pace.",
        ),
    ] = None
    sse_initial_delay: Annotated[
        float | None,
        typer.Option(
            "--sse-initial-delay",
            parser=values.duration,
            metavar="MS",
            help="Delay before the first event, in milliseconds.",
        ),
    ] = None
    sse_random_delay: Annotated[
        str | None,
        typer.Option("--sse-random-delay", metavar="MIN:MAX", help="Random delay between events, in milliseconds."),
    ] = None
    sse_repeat: Annotated[
        int | None,
        typer.Option("--sse-repeat", min=0, metavar="N", help="Passes over the events; 0 is no limit, 1 the default."),
    ] = None
    sse_keepalive: Annotated[
        float | None,
        typer.Option(
            "--sse-keepalive",
            parser=values.duration,
            metavar="MS",
            help="Keepalive interval, in milliseconds, of a stream that stays open: at least 5000, or 0 for none.",
        ),
    ] = None
    sse_retry: Annotated[
        int | None,
        typer.Option("--sse-retry", min=0, metavar="MS", help="Reconnection interval for clients, in milliseconds."),
    ] = None
    sse_max_events: Annotated[
        int | None, typer.Option("--sse-max-events", min=0, metavar="N", help="End the stream after N events.")
    ] = None
    sse_final_event: Annotated[
        str | None,
        typer.Option("--sse-final-event", metavar="TYPE:DATA", help="Last event, when mockd ends the stream."),
    ] = None
    sse_resume: Annotated[
        bool, typer.Option("--sse-resume", help="Continue for clients that reconnect with Last-Event-ID.")
    ] = False
    sse_rate: Annotated[
        str | None,
        typer.Option("--sse-rate", metavar="N[:BURST]", help="Limit of N events per second, BURST at once."),
    ] = None

    chunked: Annotated[
        str | None, typer.Option("--chunked", metavar="TEXT", help="Answer with this text in chunks.")
    ] = None
    ndjson: Annotated[list[str] | None, _many("--ndjson", "JSON", "Answer with NDJSON; this is one line.")] = None
    ndjson_template: Annotated[
        str | None,
        typer.Option(
            "--ndjson-template", metavar="NAME", help="Built-in template that sends NDJSON, such as ollama-chat."
        ),
    ] = None
    chunk_size: Annotated[
        int | None, typer.Option("--chunk-size", min=1, metavar="BYTES", help="Size of a chunk, in bytes.")
    ] = None
    chunk_delay: Annotated[
        float | None,
        typer.Option(
            "--chunk-delay",
            parser=values.duration,
            metavar="MS",
            help="Delay between chunks or lines, in milliseconds.",
        ),
    ] = None

    framing: Annotated[
        list[str] | None,
        _many("--framing", "NAME=JSON", "Form of a stream's bytes, such as lineEnding=crlf or split=utf8."),
    ] = None

    status: Annotated[int | None, typer.Option("--status", metavar="STATUS", help="HTTP status; by default 200.")] = (
        None
    )
    header: Annotated[list[str] | None, _many("--header", "NAME:VALUE", "HTTP header of the answer.")] = None
    fault: Annotated[
        list[str] | None,
        _many("--fault", "LINE", "A fault, such as 'reset after 3 events'; `mockd faults` lists them."),
    ] = None
    body: Annotated[
        str | None,
        typer.Option(
            "--body",
            metavar="TEXT",
            help="Body of a plain answer; a JSON object or array is sent as JSON, all else as text.",
        ),
    ] = None


GROUPS = {
    "id": "The mock",
    "method": "Requests that it answers",
    "sse": "An answer of Server-Sent Events",
    "chunked": "An answer in chunks or NDJSON",
    "status": "Any answer",
}
"""The headings under which the options are listed, each by the first option below it."""

_SSE_ONLY = (
    "sse_delay",
    "sse_initial_delay",
    "sse_random_delay",
    "sse_repeat",
    "sse_keepalive",
    "sse_retry",
    "sse_max_events",
    "sse_final_event",
    "sse_resume",
    "sse_rate",
)
_CHUNKED_ONLY = ("chunk_size", "chunk_delay")


def mock_of(flags: Flags) -> dict[str, Any]:
    """The mock that the options describe, in flat form. Raises a usage error for options that do not go together."""
    kind = _kind(flags)
    build = {"sse": _sse, "chunked": _chunked, "response": _response}[kind]
    about = _given(id=flags.id, name=flags.name, priority=flags.priority)
    about |= _given(scenario=_scenario(flags))
    return {**about, "matcher": _matcher(flags), kind: {**build(flags), **_head(flags)}, **_given(faults=flags.fault)}


def _kind(flags: Flags) -> str:
    wanted = {
        "--sse": flags.sse or flags.sse_event or flags.sse_template,
        "--chunked": flags.chunked is not None,
        "--ndjson": flags.ndjson or flags.ndjson_template,
        "--body": flags.body is not None,
    }
    given = [option for option, value in wanted.items() if value]
    if len(given) > 1:
        raise typer.BadParameter(f"{' and '.join(given)} do not go together: a mock gives one kind of answer")
    kind = given[0] if given else "--body"
    _refuse(flags, () if kind == "--sse" else _SSE_ONLY, "--sse")
    _refuse(flags, () if kind in ("--chunked", "--ndjson") else _CHUNKED_ONLY, "--chunked or --ndjson")
    has_template = flags.sse_template or flags.ndjson_template
    _refuse(flags, () if kind != "--body" else ("framing",), "--sse, --chunked or --ndjson")
    _refuse(flags, () if has_template else ("template_param",), "--sse-template or --ndjson-template")
    return {"--sse": "sse", "--body": "response"}.get(kind, "chunked")


def _refuse(flags: Flags, names: tuple[str, ...], wanted: str) -> None:
    for name in names:
        value = getattr(flags, name)
        if value is not None and value is not False and value != []:  # 0 is given too
            raise typer.BadParameter(f"goes with {wanted}", param_hint=_option(name))


def _matcher(flags: Flags) -> dict[str, Any]:
    if (flags.path is None) == (flags.path_pattern is None):
        raise typer.BadParameter("give one of them", param_hint="--path / --path-pattern")
    return _given(
        method=flags.method.upper(),
        path=flags.path,
        pathPattern=flags.path_pattern,
        headers=dict(values.header(text, "--match-header") for text in flags.match_header or ()),
        queryParams=dict(values.query(text, "--match-query") for text in flags.match_query or ()),
        bodyContains=flags.match_body_contains,
    )


def _scenario(flags: Flags) -> dict[str, Any] | None:
    if flags.scenario is None:
        _refuse(flags, ("when", "set"), "--scenario")
        return None
    if not flags.when and flags.set is None:
        raise typer.BadParameter("needs --when, --set or both", param_hint="--scenario")
    states = flags.when or []
    return _given(name=flags.scenario, when=states[0] if len(states) == 1 else states or None, set=flags.set)


def _sse(flags: Flags) -> dict[str, Any]:
    if flags.sse_event and flags.sse_template:
        raise typer.BadParameter("give one of them", param_hint="--sse-event / --sse-template")
    if not (flags.sse_event or flags.sse_template or flags.sse_keepalive):
        raise typer.BadParameter("needs --sse-event or --sse-template to send, or --sse-keepalive", param_hint="--sse")
    source: dict[str, Any] = {"events": [values.event(text) for text in flags.sse_event or ()]}
    if flags.sse_template:
        source = _template(flags.sse_template, flags)
    return source | _given(
        # One pass is the default, and a template takes no `repeat`.
        repeat=None if flags.sse_repeat == 1 else flags.sse_repeat,
        retry=flags.sse_retry,
        timing=_timing(flags, has_pace=not _PACE_PARAMETERS.isdisjoint(source.get("templateParams", ()))),
        lifecycle=_lifecycle(flags),
        rateLimit=values.rate(flags.sse_rate, "--sse-rate") if flags.sse_rate else None,
        resume={"enabled": True} if flags.sse_resume else None,
        framing=_framing(flags),
    )


def _template(name: str, flags: Flags) -> dict[str, Any]:
    params = dict(values.parameter(text, "--template-param") for text in flags.template_param or ())
    return _given(template=name, templateParams=params)


_PACE_PARAMETERS = frozenset({"delayPerToken", "interval"})
"""Template parameters that set the pace of events."""


def _timing(flags: Flags, *, has_pace: bool) -> dict[str, Any]:
    delay = flags.sse_delay
    if flags.sse_random_delay:
        if delay is not None:
            raise typer.BadParameter("give one of them", param_hint="--sse-delay / --sse-random-delay")
    elif delay is None and not has_pace:
        delay = DEFAULT_DELAY_MS
    return _given(
        initialDelay=_number(flags.sse_initial_delay),
        fixedDelay=_number(delay),
        randomDelay=values.span(flags.sse_random_delay, "--sse-random-delay") if flags.sse_random_delay else None,
    )


def _lifecycle(flags: Flags) -> dict[str, Any]:
    seconds = values.keepalive(flags.sse_keepalive, "--sse-keepalive") if flags.sse_keepalive else None
    final_event = values.event(flags.sse_final_event) if flags.sse_final_event is not None else None
    return _given(
        keepaliveInterval=seconds,
        keepOpen=True if seconds else None,
        maxEvents=flags.sse_max_events,
        termination={"finalEvent": final_event} if final_event else None,
    )


def _chunked(flags: Flags) -> dict[str, Any]:
    if flags.ndjson and flags.ndjson_template:
        raise typer.BadParameter("give one of them", param_hint="--ndjson / --ndjson-template")
    items = [values.json_value(text, "--ndjson") for text in flags.ndjson or ()]
    source = {"format": "ndjson", "ndjsonItems": items} if items else {"data": flags.chunked}
    if flags.ndjson_template:
        source = _template(flags.ndjson_template, flags)
    return source | _given(chunkSize=flags.chunk_size, chunkDelay=_number(flags.chunk_delay), framing=_framing(flags))


def _framing(flags: Flags) -> dict[str, Any]:
    return dict(values.parameter(text, "--framing") for text in flags.framing or ())


def _response(flags: Flags) -> dict[str, Any]:
    return _given(body=None if flags.body is None else values.payload(flags.body))


def _head(flags: Flags) -> dict[str, Any]:
    return _given(status=flags.status, headers=_headers(flags.header or ()))


def _headers(texts: Iterable[str]) -> dict[str, str | list[str]]:
    """Headers by name. A header that was given several times, in any case, has a list of values."""
    given: dict[str, tuple[str, list[str]]] = {}
    for text in texts:
        name, value = values.header(text, "--header")
        given.setdefault(name.lower(), (name, []))[1].append(value)
    return {name: found[0] if len(found) == 1 else found for name, found in given.values()}


def _number(value: float | None) -> float | None:
    return None if value is None else values.number(float(value))


def _given(**fields: Any) -> dict[str, Any]:
    """Only the fields that were given, as the server has the defaults."""
    return {name: value for name, value in fields.items() if value is not None and value != {}}


def _option(name: str) -> str:
    return "--" + name.replace("_", "-")
