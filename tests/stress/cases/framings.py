"""Any three framings together, on streams of random events, as readers written from the standards find them."""

from __future__ import annotations

import json
import re
from typing import Any, NamedTuple

from hypothesis import strategies as st

from mockd.framing.variants import Body, Variant, variants
from tests.stress.asking import ask
from tests.stress.cases.rounds import Round, examples, texts_of
from tests.stress.server import Server
from tests.wire.framing.reading import READERS, decoded, pieces
from tests.wire.framing.streams import Got, read, together
from tests.wire.sockets import Client

_ENCODINGS = {"gzip", "deflate", "br", "zstd"}
_ALONE = "padding-600000"
"""A variant that is too large to be sent in pieces of a few bytes."""


class Stream(NamedTuple):
    """A stream, and the variants in which it is sent together."""

    body: Body
    part: str
    config: dict[str, Any]
    chosen: list[Variant]

    @property
    def has_ids(self) -> bool:
        return any("id" in event for event in self.config.get("events", ()))

    @property
    def is_at_once(self) -> bool:
        """Whether all of it is due at one moment, so that all borders of chunks are known."""
        return not {"timing", "lifecycle", "rateLimit"} & self.config.keys()


_TEXTS = texts_of("é", "😀", "\n", "\r\n", "\r", " ", ":", "data: ", "\u2028", "\ufeff", "x" * 300)
_DATA = _TEXTS | st.recursive(st.none() | st.integers() | _TEXTS, lambda one: st.lists(one, max_size=2), max_leaves=3)
_LINES = texts_of("a", "é", " ", ":").map(lambda text: re.sub("[\r\n\0]", "", text))
_EVENTS = st.fixed_dictionaries(
    {}, optional={"data": _DATA, "type": _LINES, "id": _LINES, "comment": _LINES, "retry": st.integers(0, 9999)}
).filter(lambda event: event.keys() - {"type"})
_FORMS: list[dict[str, Any]] = [
    {},
    {"timing": {"fixedDelay": 2}},
    {"resume": {"enabled": True}},
    {"repeat": 2},
    {"rateLimit": {"eventsPerSecond": 1000, "burstSize": 2}},
    {"lifecycle": {"maxEvents": 2, "termination": {"finalEvent": {"data": "bye ✓"}}}},
]
_CONFIGS: dict[Body, tuple[str, st.SearchStrategy[dict[str, Any]]]] = {
    "sse": (
        "sse",
        st.builds(
            lambda events, form: {"events": events, **form},
            st.lists(_EVENTS, min_size=1, max_size=6, unique_by=lambda event: event.get("id", id(event))),
            st.sampled_from(_FORMS),
        ),
    ),
    "ndjson": ("chunked", st.builds(lambda items: {"ndjsonItems": items}, st.lists(_DATA, min_size=1, max_size=6))),
    "raw": (
        "chunked",
        st.builds(lambda data, size: {"data": data, "chunkSize": size}, _TEXTS.filter(bool), st.integers(1, 50)),
    ),
}


@st.composite
def streams(draw: st.DrawFn) -> Stream:
    body = draw(st.sampled_from(list(_CONFIGS)))
    part, configs = _CONFIGS[body]
    possible = [one for one in variants(body) if one.name != _ALONE]
    chosen = draw(st.lists(st.sampled_from(possible), min_size=1, max_size=3))
    return Stream(body, part, draw(configs), chosen)


def check(server: Server, stream: Stream) -> None:
    """Framings that are neutral read as the plain stream does, and chunks end where the `split` says."""
    framing = together(stream.chosen)
    plain, framed = (_got(server, stream, form) for form in ({}, framing))
    assert framed.headers.get("content-encoding") == framing.get("encoding")
    body = decoded(framing.get("encoding"), framed.body)
    if all(one.is_neutral(stream.body, has_ids=stream.has_ids, accepted=_ENCODINGS) for one in stream.chosen):
        found, expected = READERS[stream.body](body), READERS[stream.body](plain.body)
        assert found == expected, f"{framing} reads as {found}, and not as {expected}"
    if "split" in framing and stream.is_at_once:
        assert framed.chunks == pieces(framed.body, framing["split"]), framing


def _got(server: Server, stream: Stream, framing: dict[str, Any]) -> Got:
    config = {**stream.config, "framing": framing} if framing else stream.config
    mock = {"id": "framed", "matcher": {"path": "/framed"}, stream.part: config}
    status, answer = ask(f"{server.admin}/mocks", "POST", json.dumps(mock).encode())
    assert status == 201, answer
    try:
        with Client(server.mocks) as client:
            return read(client.ask("/framed", headers={"Connection": "close"}).read_to_end())
    finally:
        assert ask(f"{server.admin}/mocks/framed", "DELETE")[0] == 204


FRAMINGS: dict[str, Round] = {"framings": examples(streams(), check)}
