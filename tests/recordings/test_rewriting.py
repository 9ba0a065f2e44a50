"""Recordings that are written anew, redacted or from another format, keep every line in its order and at its time.

Each kind of exchange has a secret in it. What is written is the same exchange with the text that stands for the secret,
whichever way it went, and nothing changes when it is redacted once more.
"""

from __future__ import annotations

import gzip
import json
from collections.abc import Callable, Iterator
from pathlib import Path
from random import Random

import pytest

from mockd.recordings.conversions.formats import read_file
from mockd.recordings.lines import (
    End,
    Head,
    Headers,
    Info,
    Input,
    Line,
    Other,
    Output,
    Piece,
    Trailers,
)
from mockd.recordings.reading import exchanges
from mockd.recordings.redaction import Redaction
from mockd.recordings.rewriting import Story, redact_file, tell, write_new
from mockd.recordings.writing import Recorder
from tests.manual_clock import ManualClock
from tests.recordings.stories import NO_REDACTION
from tests.recordings.ways import (
    CHAT,
    FILLED,
    HEAD,
    LEADS_ON,
    REDACTION,
    SECRET,
    Happened,
    Way,
    all_ways,
    answered,
    asked,
    bare,
    happened_in,
    kinds_of,
    redact,
    said,
    story,
    told,
)


def form(value: str) -> str:
    return f'--x\r\nContent-Disposition: form-data; name="password"\r\n\r\n{value}\r\n--x--\r\n'


KINDS: dict[str, Callable[[str], Happened]] = {
    # requests, of which redaction holds back one thing or another
    "without a request's body": lambda secret: told(*answered(f"data: {secret}\n\n")),
    "a chat": lambda secret: told(*asked(CHAT), *answered("data: a\n\n", f"data: {secret}\n\n")),
    "a short body": lambda secret: told(*asked("x"), *answered(secret)),
    "an empty object": lambda secret: told(*asked("{}"), *answered(secret)),
    "a body that breaks off": lambda secret: told(*asked(LEADS_ON), *answered(secret)),
    "a body that ends as a secret begins": lambda secret: told(*asked(SECRET[:3]), *answered("a")),
    "a form": lambda secret: told(*asked(f"a=b&password={secret}"), *answered("a")),
    "several parts": lambda secret: told(*asked(form(secret)), *answered("a")),
    "bytes": lambda secret: told(*asked(b"\xff\x00" + secret.encode() + b"\xfe"), *answered(b"\xff", "a")),
    "a body in pieces": lambda secret: told(*asked(CHAT[:9], CHAT[9:40], CHAT[40:]), *answered("a")),
    "a secret over pieces": lambda secret: told(
        *asked(f'{{"a": "{secret[:3]}', secret[3:4], f'{secret[4:]}", "b', '": 1}'), *answered(secret[:5], secret[5:])
    ),
    "a name over pieces": lambda secret: told(*asked('{"pass', 'word": "', secret[:4], secret[4:] + '"}'), *answered()),
    # uploads that go on behind the head
    "an early answer": lambda secret: told(HEAD, *asked(LEADS_ON), *said("a"), End(how="complete")),
    "an upload beside the answer": lambda secret: told(
        *asked(LEADS_ON), HEAD, *said("one"), *asked(f'word": "{secret}'), *said("two"), *asked('"}'), *said("three"),
        End(how="reset"),
    ),
    "secrets on both sides at once": lambda secret: told(
        *asked(secret[:5]), HEAD, *said(secret[:7]), *asked(secret[5:9]), *said(secret[7:]), *asked(secret[9:]),
        *said("!"), End(how="client"),
    ),
    "an upload that ends last": lambda secret: told(HEAD, *said("a"), *asked(f"x{secret}x"), End(how="complete")),
    "an upload without a head": lambda secret: told(*asked(LEADS_ON, f'word": "{secret}"}}'), End(how="timeout")),
    # other lines among them
    "informed": lambda secret: told(
        *asked("{}"), Info(status=103, headers=[("Link", f"</{secret}>")]), *asked("x"), *answered("a")
    ),
    "trailers": lambda secret: told(
        *asked("{}"), HEAD, *said(f"a{secret}", SECRET[:3]), Trailers(headers=[("X", secret)]), End(how="complete")
    ),
    "unknown kinds": lambda secret: told(
        Other(kind="x", beyond=[secret]), *asked(LEADS_ON), Other(kind="y"), HEAD, *said(SECRET[:4]),
        Other(kind="z", beyond=[1]), *said("b"), End(how="complete"),
    ),
    "unknown items": lambda secret: told(
        Input(data=LEADS_ON, beyond=[{"x": secret}]), Input(data=b"x", beyond=[1]), HEAD,
        Output(data=SECRET[:3].encode(), beyond=["y"]), Output(data=b"b", beyond=[2]),
        End(how="complete", more={"x": [1]}, beyond=["y"]),
    ),
    # what nobody records so, but may write by hand
    "empty pieces": lambda secret: told(*asked("", "{}", ""), *answered("", secret, "")),
    "two heads": lambda secret: told(*asked("{}"), HEAD, *said(SECRET[:3]), HEAD, *said(secret), End(how="closed")),
    "a body before its head": lambda secret: told(*said(secret, SECRET[:3]), *asked("x"), HEAD, End(how="complete")),
    "a body behind its trailers": lambda secret: told(
        HEAD, *said("a"), Trailers(headers=[("X", "y")]), *said(secret), End(how="complete")
    ),
    "all at once": lambda secret: [
        (0, line) for _, line in told(*asked(LEADS_ON), HEAD, *said("a"), *asked(secret), End(how="complete"))
    ],
}  # fmt: skip


all_kinds = pytest.mark.parametrize("kind", KINDS)


@all_ways
@all_kinds
def test_every_line_keeps_its_place_its_time_and_its_bytes(tmp_path: Path, way: Way, kind: str) -> None:
    file = way(tmp_path, story(KINDS[kind](SECRET)), REDACTION)
    assert happened_in(file) == list(bare(KINDS[kind](FILLED)))


@all_ways
@all_kinds
def test_nothing_of_a_secret_is_in_any_file(tmp_path: Path, way: Way, kind: str) -> None:
    file = way(tmp_path, story(KINDS[kind](SECRET)), REDACTION)
    [path] = tmp_path.iterdir()
    assert path == file
    assert SECRET not in file.read_text()
    [exchange] = exchanges(file)
    for body in (exchange.input(), b"".join(data for _, data in exchange.output())):
        assert SECRET.encode() not in body


@all_ways
@all_kinds
def test_what_is_redacted_is_the_same_when_it_is_redacted_again(tmp_path: Path, way: Way, kind: str) -> None:
    file = way(tmp_path, story(KINDS[kind](SECRET)), REDACTION)
    once = file.read_bytes()
    redact_file(file, REDACTION)
    assert file.read_bytes() == once


@all_kinds
def test_what_has_no_secret_is_the_same_when_it_is_redacted(tmp_path: Path, kind: str) -> None:
    [file] = write_new([story(KINDS[kind](FILLED))], tmp_path, NO_REDACTION)
    before = file.read_bytes()
    redact_file(file, Redaction(["another secret"]))
    end = b'"redacted":["input:password"]'  # of names whose values stand for secrets already
    assert file.read_bytes().replace(end, b"").replace(b",{}", b"") == before.replace(b",{}", b"")


class Telling:
    """A story that notes how much of it is written when its last line comes."""

    def __init__(self, happened: Happened, written: list[bytes]) -> None:
        self._happened = happened
        self._written = written
        self.written_before_the_last = 0

    def __iter__(self) -> Iterator[tuple[int, Line]]:
        yield from self._happened[:-1]
        self.written_before_the_last = len(self._written)
        yield self._happened[-1]


@pytest.mark.parametrize("body", ["{}", CHAT, LEADS_ON])
def test_nothing_waits_for_a_request_that_is_complete(body: str | bytes) -> None:
    """Or an answer of any length would be in memory as a whole."""
    written: list[bytes] = []
    happened = Telling(told(*asked(body), *answered(*["data: !\n\n"] * 10)), written)
    tell(Story(story([]).begun, happened), written.append, REDACTION.exchange())
    assert happened.written_before_the_last == len(written) - 1 == 13


WORDS = [
    SECRET, SECRET[:6], "hunter", '{"password": "', '"}', "}}", '"', "\\", "pass", "&token=", '"token": "',
    '{"secret": {', '"type": "string"', '; name="key"\r\n\r\n', "\r\n--", "https://x/?key=", "%22", "\\u00", "REDACTED",
    "RED", "12345678", "abcdefghijklmnopqrstuvwxyz", "cust_12ab", "data: a\n\n", "\n", "é", "x",
]  # fmt: skip


def mixed(rng: Random) -> Story:
    """An exchange whose bodies, cut anywhere, are made of secrets and of what is around them. The pieces of both sides
    and lines of other kinds come in any order."""
    codings = [rng.choice([[], [], [], [("Content-Encoding", "gzip")]]) for _ in range(2)]
    bodies = ["".join(rng.choices(WORDS, k=rng.randint(1, 14))).encode() for _ in codings]
    coded = [gzip.compress(body, mtime=0) if coding else body for body, coding in zip(bodies, codings, strict=True)]
    coded = [body[: rng.randint(0, len(body))] if rng.random() < 0.1 else body for body in coded]
    sent, came = (cut(rng, body) for body in coded)
    headers = [("X-Api-Key", rng.choice(["abcd", "ABCDEFGHIJ", "12345678"]))]
    answer: list[Line] = [Head(status=200, headers=[*codings[1], *headers]), *said(*came)]
    answer += [Trailers(headers=headers)] * rng.randint(0, 1)
    others: list[Line] = [Other(kind="x", beyond=[rng.choice(WORDS), 12345678])] * rng.randint(0, 2)
    lines, sides = [], [asked(*sent), answer, others]
    while sides := [side for side in sides if side]:
        lines.append(rng.choice(sides).pop(0))
    end = [End(how="complete", text=rng.choice([None, f"said {SECRET}"]))] * (rng.random() < 0.9)
    return story(told(*lines, *end), headers=[*codings[0], ("Authorization", "Bearer " + "abc" * 9)])


def cut(rng: Random, data: bytes) -> list[bytes]:
    places = sorted(rng.choices(range(len(data) + 1), k=rng.randint(0, 6)))
    return [data[start:stop] for start, stop in zip([0, *places], [*places, len(data)], strict=True)]


REDACTIONS = [REDACTION, Redaction(), Redaction([SECRET, "12345678"]), Redaction([SECRET], ["cust_[0-9a-f]+"])]


@all_ways
@pytest.mark.parametrize("seed", range(100))
def test_lines_keep_their_order_however_they_are_mixed(tmp_path: Path, way: Way, seed: int) -> None:
    rng = Random(seed)
    before, redaction = mixed(rng), rng.choice(REDACTIONS)
    file = way(tmp_path, before, redaction)
    once, found = file.read_bytes(), happened_in(file)
    wanted = [(at_us, type(line), _size(line)) for at_us, line in before.happened]
    if isinstance(found[-1][1], End) and not isinstance(before.happened[-1][1], End):  # type: ignore[index]
        found.pop()
    if not any(name == "Content-Encoding" for name, _ in (*before.begun.headers, *_headers_of(before))):
        assert [(at_us, type(line), _size(line)) for at_us, line in found] == wanted
    else:  # what is decoded has other sizes, and may be in fewer pieces
        left = iter([(at_us, kind) for at_us, kind, _ in wanted])
        assert all((at_us, type(line)) in left for at_us, line in found)
    [exchange] = exchanges(file)
    for body in (exchange.input(), b"".join(data for _, data in exchange.output())):
        assert not any(value.encode() in body for value in redaction.values)
    redact_file(file, redaction)
    assert file.read_bytes() == once


def _size(line: Line) -> int:
    return len(line.data) if isinstance(line, Piece) else 0


def _headers_of(story: Story) -> Headers:
    return [header for _, line in story.happened if isinstance(line, Head) for header in line.headers]


# -- while it happens --------------------------------------------------------------------------------------------------


def record(folder: Path, told: Story) -> Path:
    """As it is recorded while it happens."""
    clock = ManualClock()
    recording = Recorder(folder, REDACTION, clock).begin(told.begun.method, told.begun.url, [], "1.1")
    start, happened = clock.monotonic(), list(told.happened)
    inputs_left = sum(isinstance(line, Input) for _, line in happened)
    for at_us, line in happened:
        at = start + at_us / 1_000_000
        match line:
            case Input():
                recording.input(line.data, at)
                inputs_left -= 1
                if not inputs_left:
                    recording.input_end()
            case Head():
                headers = [(name.encode(), value.encode()) for name, value in line.headers]
                recording.head(line.status, line.reason, headers, at=at)
            case Output():
                recording.output(line.data, at)
            case End():
                recording.end(line.how, at=at)
    assert recording.path is not None
    return recording.path


LIVE = ["a chat", "an empty object", "a form", "several parts", "bytes", "a body in pieces", "a secret over pieces"]
BESIDE = ["an upload beside the answer", "secrets on both sides at once", "an upload that ends last"]


@pytest.mark.parametrize("kind", LIVE)
def test_what_was_recorded_is_as_it_would_be_if_it_were_redacted_later(tmp_path: Path, kind: str) -> None:
    told = story(KINDS[kind](SECRET))
    assert happened_in(record(tmp_path / "a", told)) == happened_in(redact(tmp_path / "b", told, REDACTION))


@pytest.mark.parametrize("kind", [*LIVE, *BESIDE])
def test_what_was_recorded_with_redaction_is_the_same_when_it_is_redacted(tmp_path: Path, kind: str) -> None:
    file = record(tmp_path, story(KINDS[kind](SECRET)))
    before = file.read_bytes()
    assert SECRET not in file.read_text()
    redact_file(file, REDACTION)
    assert file.read_bytes() == before


def test_an_answer_that_is_being_recorded_does_not_wait_for_its_request(tmp_path: Path) -> None:
    """Or a process that is killed would lose more of it than redaction holds back of the answer itself."""
    recording = Recorder(tmp_path, REDACTION, ManualClock()).begin("POST", "https://a.test/x", [])
    assert recording.path is not None
    recording.input(LEADS_ON)
    recording.head(200, "OK", [])
    recording.output(b"one")
    assert kinds_of(recording.path) == [Head, Output]
    recording.input_end()
    assert kinds_of(recording.path) == [Head, Output, Input]
    recording.end("complete")


# -- what others write -------------------------------------------------------------------------------------------------

FOREIGN = {
    "har": (
        '{"log": {"entries": [{"startedDateTime": "2026-11-28T10:00:00Z", "timings": {"wait": 50, "receive": 10},'
        '"request": {"method": "POST", "url": "http://a.test/x", "headers": [], "postData": {"text": BODY}},'
        '"response": {"status": 200, "headers": [], "content": {"text": "data: a\\n\\n"}}}]}}'
    ),
    "vcr": (
        "interactions:\n- request: {method: POST, uri: 'http://a.test/x', headers: {}, body: BODY}\n"
        "  response: {status: {code: 200, message: OK}, headers: {}, body: {string: 'data: a'}}\n"
    ),
}
BODIES = ["{}", "x", CHAT, '{"a": 1}', LEADS_ON.decode(), SECRET[:3]]


@pytest.mark.parametrize("format", FOREIGN)
@pytest.mark.parametrize("body", BODIES)
def test_a_request_from_another_format_is_before_its_answer(tmp_path: Path, format: str, body: str) -> None:
    source = tmp_path / "source"
    source.write_text(FOREIGN[format].replace("BODY", json.dumps(body)))
    [file] = write_new(read_file(source, format, lambda _: None), tmp_path / "out", REDACTION)
    assert kinds_of(file) == [Input, Head, Output, End]
    [exchange] = exchanges(file)
    assert next(exchange.happened()) == (0, Input(data=body.encode()))
