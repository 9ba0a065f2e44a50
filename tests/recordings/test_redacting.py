"""What redaction leaves is whole, says what was done to it, and is left alone from then on."""

from __future__ import annotations

import gzip
from pathlib import Path

import pytest

from mockd.recordings import bodies
from mockd.recordings.conversions import har
from mockd.recordings.lines import (
    End,
    Head,
    Input,
    Line,
    Other,
    Output,
    Trailers,
)
from mockd.recordings.reading import exchanges
from mockd.recordings.redaction import Redaction
from mockd.recordings.rewriting import redact_file, write_new
from tests.recordings.ways import (
    CODED,
    FILLED,
    HEAD,
    REDACTION,
    SECRET,
    Happened,
    Way,
    all_ways,
    answered,
    asked,
    bare,
    coded,
    happened_in,
    in_gzip,
    kinds_of,
    last_of,
    said,
    story,
    told,
    write,
)

# -- what redaction leaves is no secret --------------------------------------------------------------------------------

LEFT: dict[str, Happened] = {
    "values that stand for secrets": told(
        *asked('{"password": "abcdefgh"}'), *answered('{"password": "ijklmnop"}', " REDACTED REDACTE")
    ),
    "numbers": told(*asked('{"password": 12345678}'), *answered('{"x": "11111111"}')),
    "headers": told(Head(status=200, headers=[("X-Api-Key", "abcdefgh"), ("X", "REDACTED")]), End(how="complete")),
}


@all_ways
@pytest.mark.parametrize("kind", LEFT)
def test_text_that_stands_for_a_secret_is_not_taken_for_one(tmp_path: Path, way: Way, kind: str) -> None:
    headers = [("Authorization", "Bearer abcdefghijklmnop"), ("Cookie", "sid=abcdefgh")]
    file = way(tmp_path, story(LEFT[kind], headers=headers), Redaction())
    once = file.read_bytes()
    redact_file(file, Redaction())
    assert file.read_bytes() == once


# -- an end that is missing --------------------------------------------------------------------------------------------


@all_ways
@pytest.mark.parametrize("value", ["nothing", SECRET])
def test_a_missing_end_is_written_if_there_is_anything_to_say_of_the_exchange(
    tmp_path: Path, way: Way, value: str
) -> None:
    lines = [*asked("{}"), HEAD, *said(f"a{value}", SECRET[:3])]
    file = way(tmp_path, story(told(*lines)), REDACTION)
    [exchange] = exchanges(file)
    assert (exchange.how, exchange.redacted) == ("closed", {"output"} if value == SECRET else set())
    kinds = kinds_of(file)
    assert kinds == [Input, Head, Output, Output, *([End] if value == SECRET else [])]
    assert value == "nothing" or (last_of(file).text, last_of(file).gap_us) == ("the end was missing", 0)


@all_ways
def test_a_decoded_body_without_an_end_is_known_to_be_decoded(tmp_path: Path, way: Way) -> None:
    cut_off = story(list(coded(SECRET, SECRET).happened)[:-2], headers=CODED)
    file = way(tmp_path, cut_off, REDACTION)
    end = last_of(file)
    assert (end.how, end.decoded, end.decoded_request) == ("closed", "gzip", "gzip")
    once = file.read_bytes()
    redact_file(file, REDACTION)
    assert file.read_bytes() == once


@pytest.mark.parametrize("side", ["request", "answer"])
def test_a_missing_end_is_written_if_a_body_is_not_as_it_came(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, side: str
) -> None:
    monkeypatch.setattr(bodies, "MOST_HELD", 10)
    lines = asked(*in_gzip("nothing")) if side == "request" else [Head(status=200, headers=CODED)]
    lines += said(*in_gzip("nothing")) if side == "answer" else []
    end = last_of(write(tmp_path / "decoded", story(told(*lines), headers=CODED), REDACTION))
    assert (end.decoded_request, end.decoded) == (("gzip", None) if side == "request" else (None, "gzip"))
    lines = [Input(data=b"none")] if side == "request" else [Head(status=200, headers=CODED), Output(data=b"none")]
    end = last_of(write(tmp_path / "lost", story(told(*lines), headers=CODED), REDACTION))
    assert str(end.text).startswith(f"the end was missing; the body of the {side} could not be decoded from 'gzip'")


# -- bodies in a content coding ----------------------------------------------------------------------------------------


@all_ways
@pytest.mark.parametrize("answer", ["nothing", SECRET])
@pytest.mark.parametrize("request_", ["nothing", SECRET])
def test_bodies_in_a_coding_survive_any_number_of_times(tmp_path: Path, way: Way, request_: str, answer: str) -> None:
    told = coded(request_, answer)
    file = way(tmp_path, told, REDACTION)
    [exchange] = exchanges(file)
    sent, came = exchange.input(), b"".join(data for _, data in exchange.output())
    assert sent == (FILLED.encode() if request_ == SECRET else b"".join(in_gzip(request_)))
    assert came == (FILLED.encode() if answer == SECRET else b"".join(in_gzip(answer)))
    end = last_of(file)
    assert (end.decoded, end.decoded_request) == tuple(
        "gzip" if text == SECRET else None for text in (answer, request_)
    )
    assert end.text is None
    kinds = kinds_of(file)
    assert kinds == sorted(kinds, key=[Input, Head, Output, Trailers, End].index)
    once = file.read_bytes()
    for _ in range(2):
        redact_file(file, REDACTION)
        assert file.read_bytes() == once


def test_what_is_stored_decoded_goes_through_an_archive(tmp_path: Path) -> None:
    [file] = write_new([coded(SECRET, SECRET)], tmp_path / "a", REDACTION)
    before = list(exchanges(file))
    again = write(tmp_path / "b", *har.read(har.write(before, print).encode(), print), REDACTION)  # type: ignore[misc]
    assert again.read_bytes() == file.read_bytes()


@all_ways
@pytest.mark.parametrize("text", ["nothing", f'{{"a": "{SECRET}"}}'])
def test_an_upload_in_a_coding_keeps_its_place_beside_the_answer(tmp_path: Path, way: Way, text: str) -> None:
    raw = gzip.compress(text.encode(), 0, mtime=0)  # of which each part decodes to something
    happened = told(*asked(raw[:18]), HEAD, *said("one"), *asked(raw[18:]), *said("two"), End(how="complete"))
    file = way(tmp_path, story(happened, headers=CODED), REDACTION)
    assert kinds_of(file) == [Input, Head, Output, Input, Output, End]
    assert [at_us for at_us, _ in happened_in(file)] == [at_us for at_us, _ in happened]


@all_ways
def test_what_one_piece_decodes_to_stays_in_its_order(tmp_path: Path, way: Way) -> None:
    members = [gzip.compress(text.encode(), mtime=0) for text in ("zz", SECRET, "b", "a")]
    lines = [*asked(b"".join(members)), HEAD, *said("one"), End(how="complete")]
    [exchange] = exchanges(way(tmp_path, story(told(*lines), headers=CODED), REDACTION))
    assert exchange.input() == f"zz{FILLED}ba".encode()


# -- what is not known of a line ---------------------------------------------------------------------------------------

UNREADABLE: dict[str, tuple[Line, Line]] = {
    "a number": (Other(kind="x", beyond=[12345678, True, None]), Other(kind="x", beyond=[1, True, None])),
    "a kind": (Other(kind="12345678", beyond=[12345678]), Other(kind="REDACTED", beyond=[1])),
    "what goes on behind its text": (
        Other(kind="x", beyond=['{"password": "', {"a": ["bc"]}]),
        Other(kind="x", beyond=["REDACTEDREDACT", {"R": ["RE"]}]),
    ),
    "a member": (
        Head(status=200, more={"x": 12345678}),
        Head(status=200, more={"R": 1}),
    ),
    "the kind of a line that is known": (
        Trailers(headers=[], more={"x": "y"}),
        Trailers(headers=[], more={"R": "R"}),
    ),
    "of a piece": (Output(data=b"a", beyond=[12345678]), Output(data=b"a", beyond=[1])),
}


@all_ways
@pytest.mark.parametrize("kind", UNREADABLE)
def test_of_a_line_that_could_not_be_read_without_its_secret_nothing_unknown_is_left(
    tmp_path: Path, way: Way, kind: str
) -> None:
    before, after = UNREADABLE[kind]
    redaction = Redaction(["12345678", "trailers"])
    file = way(tmp_path, story(told(before, End(how="complete"))), redaction)
    assert happened_in(file) == list(bare(told(after, End(how="complete"))))
    assert "12345678" not in file.read_text()
    once = file.read_bytes()
    redact_file(file, redaction)
    assert file.read_bytes() == once


def test_a_piece_with_unknown_items_is_searched_once(tmp_path: Path) -> None:
    lines = [Input(data=b'{"password": "abc"}', beyond=[1]), HEAD, End(how="complete")]
    assert last_of(write(tmp_path, story(told(*lines)), REDACTION)).redacted == ["input:password"]


@pytest.mark.parametrize("side", ["request", "answer"])
def test_the_end_knows_of_what_waited_for_a_body(tmp_path: Path, side: str) -> None:
    head, kind = (HEAD, asked) if side == "request" else (Head(status=200, headers=CODED), said)
    first, second = in_gzip("nothing")
    lines = [*asked(b""), head, *kind(first), Other(kind="x", beyond=[SECRET]), *kind(second), End(how="complete")]
    headers = CODED if side == "request" else []
    assert last_of(write(tmp_path, story(told(*lines), headers=headers), REDACTION)).redacted == ["unknown"]
