"""What is a secret and what is none. `tests/stress/canaries.py` has thousands of secrets in all spellings."""

from __future__ import annotations

import json
import re
import time
from base64 import b64encode, urlsafe_b64encode
from collections.abc import Callable, Iterable
from random import Random
from typing import Any
from urllib.parse import quote, quote_plus

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mockd.errors import ConfigError
from mockd.recordings import members, needles
from mockd.recordings.lines import Begun, Head
from mockd.recordings.member_values import MOST_OF_SCHEMA
from mockd.recordings.redaction import Redaction
from mockd.recordings.searching import filling, is_filling
from mockd.recordings.spelling import search_engine
from tests.stress import canaries

COUNT = 300


@pytest.mark.parametrize("seed", range(0, COUNT, 50))
def test_no_canary_reaches_the_disk(seed: int) -> None:
    for number in range(seed, seed + 50):
        canaries.check(number)


def redacted(pieces: Iterable[bytes], redaction: Redaction | None = None, part: str = "input") -> bytes:
    stream = (redaction or Redaction()).exchange().stream(part)
    return b"".join([*map(stream.feed, pieces), stream.finish()])


REQUESTS = {
    # strings of JSON
    r'{"api_key": "abc"}': r'{"api_key": "RED"}',
    r'{"api_key" :' + "\n\t" + r'"abc"}': r'{"api_key" :' + "\n\t" + r'"RED"}',
    r'{"secret": "a\"b", "x": "c"}': r'{"secret": "REDA", "x": "c"}',
    r'{"secret": "a\\", "x": "c"}': r'{"secret": "RED", "x": "c"}',
    r'{"secret": "a\\\"b\\", "x": "c"}': r'{"secret": "REDACTED", "x": "c"}',
    r'{"api\u005fkey": "abc"}': r'{"api\u005fkey": "RED"}',
    r'{"secret": "", "x": "c"}': r'{"secret": "", "x": "c"}',
    '{"secret": "cut off': '{"secret": "REDACTE',
    '{"secret": "cut off\ndata: "more"': '{"secret": "REDACTE\ndata: "more"',
    # in a string of JSON, and in one inside that
    '"{\\"secret\\": \\"ab\ncd\\"}"': '"{\\"secret\\": \\"RE\ncd\\"}"',
    r'"{\"secret\": \"abc\", \"x\": \"c\"}"': r'"{\"secret\": \"RED\", \"x\": \"c\"}"',
    r'"{\"secret\": \"a\\\"b\\\\\", \"x\": 1}"': r'"{\"secret\": \"REDACTEDRE\", \"x\": 1}"',
    r'"{\\\"secret\\\": \\\"abc\\\", \\\"x\\\": 1}"': r'"{\\\"secret\\\": \\\"RED\\\", \\\"x\\\": 1}"',
    r'"{\n \"secret\":\n \"abc\"}"': r'"{\n \"secret\":\n \"RED\"}"',
    # other values
    '{"password": 1234, "x": 5}': '{"password": 1111, "x": 5}',
    '{"password": -1.5e3}': '{"password": 111111}',
    '{"password": true, "secret": null}': '{"password": true, "secret": null}',
    '{"secret": {"a": "bcd", "n": [12, {"y": ""}]}, "x": 1}': '{"secret": {"a": "RED", "n": [11, {"y": ""}]}, "x": 1}',
    '{"secret": ["a", "b", 2], "x": "b"}': '{"secret": ["R", "R", 1], "x": "b"}',
    # schemas of credentials, which are none
    '{"properties": {"password": {"type": "string", "minLength": 8}}}': (
        '{"properties": {"password": {"type": "string", "minLength": 8}}}'
    ),
    '{"secret": {"title": "A", "$ref": "#/a"}, "secret": "abc"}': (
        '{"secret": {"title": "A", "$ref": "#/a"}, "secret": "RED"}'
    ),
    '{"apiKey": {"anyOf": [{"type": "STRING"}, {"type": ["null"]}], "default": null}}': (
        '{"apiKey": {"anyOf": [{"type": "STRING"}, {"type": ["null"]}], "default": null}}'
    ),
    '{"credentials": {"type": "object", "properties": {"a": {"enum": ["b"], "type": "string"}}, "required": ["a"]}}': (
        '{"credentials": {"type": "object", "properties": {"a": {"enum": ["b"], "type": "string"}}, "required": ["a"]}}'
    ),
    r'"{\"password\": {\"type\": \"string\", \"maxLength\": 8}, \"secret\": \"abc\"}"': (
        r'"{\"password\": {\"type\": \"string\", \"maxLength\": 8}, \"secret\": \"RED\"}"'
    ),
    # objects that are no schemas of credentials
    '{"password": {"type": "string", "value": "abc"}}': '{"password": {"type": "REDACT", "value": "RED"}}',
    '{"password": {"type": "abc"}, "secret": {"description": "abc"}}': (
        '{"password": {"type": "RED"}, "secret": {"description": "RED"}}'
    ),
    '{"password": {"type": "string", "default": "abc"}}': '{"password": {"type": "REDACT", "default": "RED"}}',
    '{"password": {"type": "string", "type": "string"}}': '{"password": {"type": "REDACT", "type": "REDACT"}}',
    '{"secret": {"$ref": "abc"}}': '{"secret": {"$ref": "RED"}}',
    '{"secret": {"type": "string"': '{"secret": {"type": "REDACT"',
    '{"secret": {"type": "object", "properties": {"a": "bcd"}}}': (
        '{"secret": {"type": "REDACT", "properties": {"a": "RED"}}}'
    ),
    '{"secret": {"type": "string", "description": "https://x/?api_key=abc"}}': (
        '{"secret": {"type": "string", "description": "https://x/?api_key=RED"}}'
    ),
    # names that are none
    '{"secrets": "abc", "secret_of": "abc", "mytoken": 1}': '{"secrets": "abc", "secret_of": "abc", "mytoken": 1}',
    '{"x_code_verifier": "abc", "secret":: "abc"}': '{"x_code_verifier": "abc", "secret":: "abc"}',
    # names with more before them, in other spellings
    '{"openai_api_key": "abc", "a.secret": "abc"}': '{"openai_api_key": "RED", "a.secret": "RED"}',
    '{"X-API-Key": "abc", "clientSecret": "abc"}': '{"X-API-Key": "RED", "clientSecret": "RED"}',
    '{"APIKEY": "abc", "user[api__key]": "abc"}': '{"APIKEY": "RED", "user[api__key]": "RED"}',
    r'{"a": "{\"x_\\u0061pi\u005fkey\": \"abc\"}"}': r'{"a": "{\"x_\\u0061pi\u005fkey\": \"RED\"}"}',
    '{"codeVerifier": "abc", "code-verifier": "abc"}': '{"codeVerifier": "RED", "code-verifier": "RED"}',
    '{"max_tokens": 5, "a": "secret", "b": "c"}': '{"max_tokens": 5, "a": "secret", "b": "c"}',
    # tokens
    '{"token": "' + "x" * 20 + '"}': '{"token": "' + "REDACTED" * 2 + 'REDA"}',
    '{"token": "' + "x" * 19 + '"}': '{"token": "' + "x" * 19 + '"}',
    '{"token": "a text of many words, no secret"}': '{"token": "a text of many words, no secret"}',
    # forms and URLs
    "secret=abc&x=1&TOKEN=a%20b&y": "secret=RED&x=1&TOKEN=REDAC&y",
    "x=1&key=abc": "x=1&key=RED",
    "monkey=abc&xkey=abc": "monkey=abc&xkey=abc",
    "a=1&user%5Bapi_key%5D=abc&my-Api%4Bey=abc": "a=1&user%5Bapi_key%5D=RED&my-Api%4Bey=RED",
    "x=1&oauth_signature=abc&X-Auth=abc&code_verifier=abc": "x=1&oauth_signature=RED&X-Auth=RED&code_verifier=RED",
    r'{"url": "https://x/?a=1&key=abc", "b": "c"}': r'{"url": "https://x/?a=1&key=RED", "b": "c"}',
    r'{"url": "https://x/?a=1\u0026key=abc#d", "b": "c"}': r'{"url": "https://x/?a=1\u0026key=RED#d", "b": "c"}',
    # several parts
    '--x\r\nContent-Disposition: form-data; name="secret"\r\nX: y\r\n\r\nab\r\nc\r\n--x--': (
        '--x\r\nContent-Disposition: form-data; name="secret"\r\nX: y\r\n\r\nREDAC\r\n--x--'
    ),
    '; name="secrets"\r\n\r\nabc\r\n--x--': '; name="secrets"\r\n\r\nabc\r\n--x--',
    '; name="my[api_key]"\r\n\r\nabc\r\n--x--': '; name="my[api_key]"\r\n\r\nRED\r\n--x--',
    '; name="mytoken"\r\n\r\nabc\r\n--x--': '; name="mytoken"\r\n\r\nabc\r\n--x--',
}


@pytest.mark.parametrize("size", [1, 2, 7, 10_000])
@pytest.mark.parametrize("body", REQUESTS)
def test_credentials_are_found_by_their_names(body: str, size: int) -> None:
    raw = body.encode()
    pieces = [raw[place : place + size] for place in range(0, len(raw), size)]
    assert redacted(pieces).decode() == REQUESTS[body]


ANSWERS = {
    '{"tools": {"properties": {"password": {"type": "string"}}}}': (
        '{"tools": {"properties": {"password": {"type": "string"}}}}'
    ),
    '{"access_token": "abc"}': '{"access_token": "RED"}',
    '{"token": "' + "x" * 30 + '"}': '{"token": "' + "x" * 30 + '"}',
    "secret=abc": "secret=abc",
    '; name="secret"\r\n\r\nabc\r\n--x--': '; name="secret"\r\n\r\nabc\r\n--x--',
}


@pytest.mark.parametrize("body", ANSWERS)
def test_in_answers_fewer_names_are_credentials(body: str) -> None:
    assert redacted([body.encode()], part="output").decode() == ANSWERS[body]


@pytest.mark.parametrize("size", [1, 10_000])
@pytest.mark.parametrize(("more", "is_kept"), [(0, True), (MOST_OF_SCHEMA, False)])
def test_a_long_object_is_no_schema(size: int, more: int, is_kept: bool) -> None:
    description = "a" * (MOST_OF_SCHEMA // 4 + more)
    body = f'{{"password": {{"type": "string", "description": "{description}"}}, "secret": "abc"}}'.encode()
    found = redacted(body[place : place + size] for place in range(0, len(body), size))
    assert (b'"string"' in found, description.encode() in found) == (is_kept, is_kept)
    assert found.endswith(b'"secret": "RED"}')
    assert len(found) == len(body)


def test_what_was_not_redacted_is_not_named() -> None:
    exchange = Redaction().exchange()
    stream = exchange.stream("input")
    stream.feed(b'{"password": {"type": "string"}, "client_secret": {"type": "string", "default": "abc"}}')
    stream.finish()
    assert exchange.places == ["input:client_secret"]
    assert stream.has_found


@given(st.binary(max_size=300), st.integers(1, 50), st.sampled_from(["input", "output"]))
def test_whatever_comes_goes_through_in_its_length(data: bytes, size: int, part: str) -> None:
    pieces = [data[place : place + size] for place in range(0, len(data), size)]
    assert redacted(pieces, Redaction(["a given value"]), part) == data


def test_a_body_of_any_size_needs_little_time_and_memory() -> None:
    redaction = Redaction(["a given value"])
    stream = redaction.exchange().stream("input")
    for text in (
        b"\\" * 65536,
        b'{"secret": "' + b"\\" * 65536,
        b'"secret":' + b" " * 65536,
        b'"' * 65536,
        b"a given " * 8192,
    ):
        for _ in range(20):
            stream.feed(text)
    assert len(stream.finish()) < 100_000


@pytest.mark.parametrize("size", [256, 257, 1000, 5000])
def test_a_long_secret_is_found_as_a_whole(size: int) -> None:
    secret = "".join(Random(size).choices("abcdefghijklmnop", k=size))
    found = redacted([f"<{secret}>".encode(), f"<{secret}>".replace("a", "\\u0061").encode()], Redaction([secret]))
    assert re.fullmatch(rb"<[REDACT]+><[REDACT]+>", found)


@pytest.mark.parametrize(
    "text", [b"a" * 65536, b"a" * 300 + b"%" + b"a" * 60000, b"\\u0061" * 10_000, b"YWFh" * 16_000]
)
def test_a_secret_that_repeats_itself_takes_no_long_search(text: bytes) -> None:
    began = time.thread_time()
    redacted([text], Redaction(["a" * 5000 + "b"]))
    assert time.thread_time() - began < 20


def test_a_credential_is_looked_for_in_all_that_follows() -> None:
    exchange = Redaction().exchange()
    exchange.begun(
        Begun(method="GET", url="/?key=1234567890", headers=[("Authorization", "Basic bWU6c2VzYW1lLW9wZW4=")])
    )
    stream = exchange.stream("output")
    assert stream.feed(b"1234567890 sesame-open bWU6c2VzYW1lLW9wZW4=") + stream.finish() == (
        b"REDACTEDRE REDACTEDRED REDACTEDREDACTEDREDA"
    )


@pytest.mark.parametrize("name", ["api_key", r"\u0061pi\u005fkey_", "[api_key]", "A%50i_key."])
def test_places_have_names_as_they_are_meant(name: str) -> None:
    exchange = Redaction().exchange()
    exchange.stream("input").feed(f'{{"{name}": "abc"}}'.encode())
    assert exchange.places == ["input:api_key"]


SAID = 'se\\same "open"'
BASIC = b64encode(b"me:sesame-open").decode()


def nested(depth: int) -> str:
    """An object with a credential, so many times in a string of JSON."""
    return json.dumps({"text": nested(depth - 1)} if depth else {"password": SAID})


@pytest.mark.parametrize("body", [*map(nested, range(3)), f"x=1&password={quote_plus(SAID)}"])
def test_a_credential_in_a_request_is_looked_for_as_it_is_meant(body: str) -> None:
    exchange = Redaction().exchange()
    for part, text in (("input", body), ("output", f"data: {SAID}!")):
        stream = exchange.stream(part)
        written = stream.feed(text.encode()) + stream.finish()
        assert len(written) == len(text)
        assert b"same" not in written, part


@pytest.mark.parametrize(
    ("headers", "places"),
    [
        ([("X-Copy", "sesame-open"), ("x-api-key", "sesame-open")], ["header:x-copy", "header:x-api-key"]),
        ([("Authorization", "Bearer  sesame-open ")], ["header:authorization"]),
        ([("Authorization", "sesame-open")], ["header:authorization"]),
        ([("authorization", f"basic {BASIC}")], ["header:authorization"]),
        ([("Cookie", 'a=other-cookie; b="sesame-open"')], ["header:cookie"]),
        ([("Set-Cookie", "a=sesame-open; Path=/not-a-secret")], ["header:set-cookie"]),
        ([("Location", "/?api_key=sesame-open&b=c")], ["header:location"]),
        ([("Authorization", "")], []),
    ],
)
def test_credentials_of_headers_are_looked_for_wherever_they_are(
    headers: list[tuple[str, str]], places: list[str]
) -> None:
    exchange = Redaction().exchange()
    begun = exchange.begun(Begun(method="GET", url="/", headers=headers))
    assert exchange.places == places
    assert "sesame" not in str(begun.headers)
    stream = exchange.stream("output")
    written = stream.feed(b"data: sesame-open /not-a-secret") + stream.finish()
    assert written == (b"data: REDACTEDRED /not-a-secret" if places else b"data: sesame-open /not-a-secret")


def test_the_line_of_a_request_is_redacted() -> None:
    exchange = Redaction(["sesame"]).exchange()
    url = "https://me:word@a.test/sesame?api_key=abc&x=1"
    begun = exchange.begun(Begun(method="sesame", url=url, path="/base/sesame"))
    assert (begun.url, begun.path) == ("https://REDACTE@a.test/REDACT?api_key=RED&x=1", "/base/REDACT")
    assert begun.method == "REDACT"
    assert exchange.places == ["query:api_key", "url", "method"]


@pytest.mark.parametrize(
    ("values", "pieces", "written"),
    [
        # A secret inside of which another one may begin, and does not.
        (["abcdefgh-123456", "123456-zzzzz"], ["<abcdefgh-123456", "-other>"], "<REDACTEDREDACTE-other>"),
        (["abcdefgh-123456", "123456-zzzzz"], ["<abcdefgh-123", "456", "-other>"], "<REDACTEDREDACTE-other>"),
        # One inside of which the second of two begins.
        (["one-two-three", "two-other", "three-four-five"], ["<one-two-three-four-five>"], "<[REDACT]{23}>"),
        (["one-two-three", "one-two-three-four-five"], ["<one-two-three-four-five>"], "<REDACTEDREDACTEDREDACTE>"),
    ],
)
def test_secrets_that_share_letters(values: list[str], pieces: list[str], written: str) -> None:
    assert re.fullmatch(written, redacted([piece.encode() for piece in pieces], Redaction(values)).decode())


GIVEN = 'open %sesame/"\\ü😀+%'


@pytest.mark.parametrize(
    "spelled",
    [
        GIVEN,
        json.dumps(GIVEN)[1:-1],
        json.dumps(GIVEN, ensure_ascii=False)[1:-1].replace("/", "\\/"),
        json.dumps(json.dumps(GIVEN))[3:-3],
        json.dumps(json.dumps(GIVEN, ensure_ascii=False).replace("/", "\\/"))[3:-3],
        "".join(f"\\u{ord(char):04X}" for char in GIVEN if char != "😀").replace("\\u002B", "\\uD83D\\uDE00\\u002B"),
        quote(GIVEN),
        quote(GIVEN, safe=""),
        quote_plus(GIVEN),
        quote_plus(GIVEN).lower(),
        quote(quote_plus(GIVEN)),
        quote(quote(GIVEN, safe="/+"), safe=""),
    ],
)
def test_a_secret_is_found_in_all_spellings(spelled: str) -> None:
    raw = f"<{spelled}>".encode()
    for size in (1, 5, 1000):
        found = redacted([raw[place : place + size] for place in range(0, len(raw), size)], Redaction([GIVEN]))
        assert re.fullmatch(b"<[REDACT]+>", found), found
        assert len(found) == len(raw)


@pytest.mark.parametrize("encode", [b64encode, urlsafe_b64encode])
@pytest.mark.parametrize("behind", range(3))
@pytest.mark.parametrize("before", range(3))
def test_a_secret_in_base64_is_found_wherever_it_begins_there(
    encode: Callable[[bytes], bytes], before: int, behind: int
) -> None:
    for secret in (b"sesame-open?>", b"sesame-open?>!", b"sesame-open?>!!"):
        encoded = encode(b"\xff" * before + secret + b"\xff" * behind)
        found = redacted([b"<" + encoded + b">"], Redaction([secret.decode()]))
        assert b"REDACTEDREDACTE" in found, (secret, found)
        assert len(found) == len(encoded) + 2


def test_a_pattern_that_finds_nothing_says_nothing() -> None:
    exchange = Redaction(patterns=["z*"]).exchange()
    stream = exchange.stream("output")
    assert stream.feed(b"data: x\n\n") + stream.finish() == b"data: x\n\n"
    assert exchange.places == []


def test_many_credentials_are_looked_for_all_at_once_and_no_more_than_so_many() -> None:
    """To be ready for a search takes its time, for each search anew."""
    exchange = Redaction().exchange()
    cookies = [f"{number:04}{Random(number).randbytes(8).hex()}" for number in range(1000)]
    headers = [
        ("Cookie", "; ".join(f"c{cookie[:4]}={cookie}" for cookie in cookies)),
        ("Authorization", "Bearer abcdefgh"),
    ]
    needles._finder_of.cache_clear()
    begun = exchange.begun(Begun(method="GET", url="http://a/", headers=headers))
    assert all(set(value) <= set("REDACT") for _, value in begun.headers)
    for text in (b"nothing", b"abcdefgh", *(cookie.encode() for cookie in cookies[: needles.MOST_LEARNED - 1])):
        stream = exchange.stream("output")
        assert stream.feed(text) + stream.finish() == (b"nothing" if text == b"nothing" else filling(len(text)))
    assert needles._finder_of.cache_info().misses == needles.MOST_LEARNED // needles._TOGETHER


@pytest.mark.parametrize("size", [1, 3, 50, 100_000])
def test_credentials_that_are_found_by_several_searches(size: int) -> None:
    """One begins inside another, and each is cut by borders."""
    word = "".join(Random(7).choices("abcdefghijklmnopqrstuvwxyz", k=120))
    secrets = [word[start : start + 40] for start in range(0, 80, 4)]
    exchange = Redaction().exchange()
    for secret in secrets:
        exchange.begun(Begun(method="GET", url="http://a/", headers=[("Authorization", f"Bearer {secret}")]))
    text = b" ".join([word[:116].encode(), *(secret.encode() for secret in secrets), b"secrets"])
    stream = exchange.stream("output")
    found = b"".join(stream.feed(text[at : at + size]) for at in range(0, len(text), size)) + stream.finish()
    assert re.fullmatch(b"([REDACT]+ ){%d}secrets" % (len(secrets) + 1), found)


def test_a_secret_is_found_in_one_header_of_many() -> None:
    headers = [(f"X-{number}", "a value") for number in range(100)]
    headers[37] = ("X-37", "https://x/?api_key=abc")
    headers[62] = ("X-62", "of Bearer abcdefgh")
    headers[99] = ("Set-Cookie", "a=abcdefgh")
    exchange = Redaction().exchange()
    found = exchange.answer(Head(status=200, reason="", headers=headers), "head").headers
    assert [(name, value) for name, value in found if value != "a value"] == [
        ("X-37", "https://x/?api_key=RED"),
        ("X-62", "of Bearer REDACTED"),
        ("Set-Cookie", "REDACTEDRE"),
    ]
    assert set(exchange.places) == {"head:x-37", "head:x-62", "head:set-cookie"}


def test_a_short_credential_is_not_looked_for_elsewhere() -> None:
    exchange = Redaction().exchange()
    assert exchange.begun(Begun(method="GET", url="/?key=data")).url == "/?key=REDA"
    stream = exchange.stream("output")
    assert stream.feed(b"data: x") + stream.finish() == b"data: x"


def test_one_exchange_knows_nothing_of_another() -> None:
    redaction = Redaction()
    redaction.exchange().begun(Begun(method="GET", url="/?key=1234567890"))
    stream = redaction.exchange().stream("output")
    assert stream.feed(b"1234567890") + stream.finish() == b"1234567890"


@pytest.mark.parametrize(
    ("pattern", "message"),
    [
        ("(", "not a regular expression"),
        (r"(a)\1", "linear time"),
        ("(?=a)b", "linear time"),
        ("a" * 10_001, "at most"),
    ],
)
def test_a_pattern_that_cannot_be_searched_for_is_refused(pattern: str, message: str) -> None:
    with pytest.raises(ConfigError, match=message) as caught:
        Redaction(patterns=["a", pattern])
    assert str(caught.value).startswith(f"--redact-pattern {pattern[:100]!r}")


def test_values_from_the_environment_must_be_there(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("A_SECRET", "abcdef")
    monkeypatch.delenv("NO_SECRET", raising=False)
    assert Redaction.of(["x"], ["A_SECRET"], []).values == {"x", "abcdef"}
    with pytest.raises(ConfigError, match="--redact-env: the environment has no NO_SECRET to redact"):
        Redaction.of([], ["NO_SECRET"], [])


def test_what_finds_nothing_is_refused() -> None:
    with pytest.raises(ConfigError, match="--redact: the text is empty"):
        Redaction([""])
    with pytest.raises(ConfigError, match="--redact-pattern: the text is empty"):
        Redaction(patterns=["a+", ""])


def test_a_pattern_holds_back_what_may_begin_in_the_last_bytes() -> None:
    stream = Redaction(patterns=["<[a-z]+>"]).exchange().stream("output")
    assert stream.feed(b"y" * 5000) == b"y" * (5000 - 4095)
    assert stream.feed(b"<aby") == b"y" * 4
    assert stream.feed(b"def>") + stream.finish() == b"y" * 4091 + b"REDACTED"


def test_what_stands_for_a_secret_is_known_again() -> None:
    assert [filling(size).decode() for size in (1, 8, 10)] == ["R", "REDACTED", "REDACTEDRE"]
    assert is_filling("REDACTEDRE")
    assert not is_filling("")
    assert not is_filling("REDUCTED")


def test_each_pattern_is_used_before_anybody_waits_for_it(monkeypatch: pytest.MonkeyPatch) -> None:
    made: list[Any] = []

    class Engine:
        def __init__(self, pattern: bytes) -> None:
            self._engine, self.searches = search_engine(pattern), 0
            made.append(self)

        def search(self, *given: Any) -> Any:
            self.searches += 1
            return self._engine.search(*given)

    members._engines.cache_clear()
    monkeypatch.setattr(members, "search_engine", Engine)
    members.prepare()
    members._engines.cache_clear()
    assert [engine.searches for engine in made] == [1, 1, 1, 1]
