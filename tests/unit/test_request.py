"""What a request looks like to matching and sources, and how it is read."""

from __future__ import annotations

from typing import Any

import pytest

from mockd.errors import BodyTooLargeError
from mockd.request import NOT_JSON, ClientGoneError, RequestView, in_origin_form, read_request


def scope(path: str = "/", **more: Any) -> dict[str, Any]:
    return {"type": "http", "method": "GET", "path": path, "headers": [], "query_string": b"", **more}


@pytest.mark.parametrize(
    ("path", "root", "seen"),
    [("/a", "", "/a"), ("/api/a", "/api", "/a"), ("/api", "/api", "/"), ("/apis", "/x", "/apis"), ("/é", "", "/é")],
)
def test_path_is_without_the_prefix_it_is_mounted_under(path: str, root: str, seen: str) -> None:
    assert RequestView(scope(path, root_path=root)).path == seen


@pytest.mark.parametrize(
    ("target", "path", "host"),
    [
        (b"http://a.test/x%2fy", b"/x%2fy", b"a.test"),
        (b"https://a.test:8443/x", b"/x", b"a.test:8443"),
        (b"http://user:w@rd@a.test/x", b"/x", b"a.test"),
        (b"http://a.test", b"/", b"a.test"),
        (b"http://a.test#/x@b", b"/", b"a.test"),
        (b"*", b"*", b"b.test"),
    ],
)
def test_a_whole_url_is_a_path_and_a_host(target: bytes, path: bytes, host: bytes) -> None:
    others = (b"a", b"1"), (b"c", b"2")
    asked = scope(target.decode(), raw_path=target, headers=[others[0], (b"host", b"b.test"), others[1]])
    seen = in_origin_form(asked)
    assert (seen["raw_path"], seen["headers"]) == (path, [others[0], (b"host", host), others[1]])
    assert seen["path"] == path.decode().replace("%2f", "/")
    asked["headers"] = list(others)
    assert in_origin_form(asked)["headers"] == ([(b"host", host), *others] if path != target else [*others])


def test_headers_keep_their_order_and_every_value() -> None:
    request = RequestView(scope(headers=[(b"a", b"1"), (b"b", b"\xe9"), (b"a", b"2")]))
    assert request.headers == {"a": ["1", "2"], "b": ["é"]}
    assert (request.header("a"), request.header("b"), request.header("c")) == ("1", "é", None)


@pytest.mark.parametrize(
    ("query", "values"),
    [
        (b"", {}),
        (b"a=1&b=2&a=3", {"a": ["1", "3"], "b": ["2"]}),
        (b"a=&b", {"a": [""], "b": [""]}),
        (b"a=x%20y+z&%C3%A9=%C3%BC", {"a": ["x y z"], "é": ["ü"]}),
    ],
)
def test_query(query: bytes, values: dict[str, list[str]]) -> None:
    assert RequestView(scope(query_string=query)).query == values


def test_query_of_any_bytes_is_some_query() -> None:
    assert list(RequestView(scope(query_string=b"a=%FF&\xff=1")).query) != []


@pytest.mark.parametrize(
    ("body", "json"),
    [
        (b'{"a": 1}', {"a": 1}),
        (b"3", 3),
        (b"null", None),
        (b"", NOT_JSON),
        (b"{", NOT_JSON),
        (b"\xff", NOT_JSON),
        (b"[" * 100_000, NOT_JSON),
        (b"1" * 5000, NOT_JSON),
    ],
)
def test_json(body: bytes, json: Any) -> None:
    assert RequestView(scope(), body).json == json


def test_text_of_bytes_that_are_none() -> None:
    assert RequestView(scope(), b"a\xffb").text == "a\ufffdb"


@pytest.mark.parametrize(
    ("value", "text"),
    [(b"7", "7"), ("é€".encode(), "é€"), (b"\xe9", "é"), (b"\xff", "ÿ"), ("日本".encode(), "日本")],
)
def test_headers_are_utf_8_where_they_can_be_and_latin_1_elsewhere(value: bytes, text: str) -> None:
    request = RequestView(scope(headers=[(b"last-event-id", value)]))
    assert request.headers == {"last-event-id": [text]}
    assert request.header("last-event-id") == text
    assert request.last_event_id == text


@pytest.mark.parametrize(
    ("header", "query", "id_"),
    [
        (None, b"", None),
        (b"", b"", None),
        (b"7", b"lastEventId=8", "7"),
        (b"", b"lastEventId=8", "8"),
        (None, b"lastEventId=8", "8"),
        (None, b"last-event-id=8", "8"),
        (None, b"Last-Event-ID=8", "8"),
        (None, b"lasteventid=8", None),
        (None, b"lastEventId=", None),
        (None, b"lastEventId=&lastEventId=8", "8"),
        (None, b"lastEventId=&Last-Event-ID=8", "8"),
        (None, b"lastEventId=%C3%A9+1", "é 1"),
        (None, b"lastEventId=%E9", "é"),
    ],
)
def test_last_event_id(header: bytes | None, query: bytes, id_: str | None) -> None:
    headers = [] if header is None else [(b"last-event-id", header)]
    assert RequestView(scope(headers=headers, query_string=query)).last_event_id == id_


def test_client_address_is_without_its_port() -> None:
    assert RequestView(scope(client=("10.0.0.1", 5))).client_ip == "10.0.0.1"
    assert RequestView(scope(client=None)).client_ip is None


# -- reading -----------------------------------------------------------------------------------------------------------


class Sender:
    """`receive` of a client that sends these parts, and then leaves."""

    def __init__(self, *parts: bytes, ends: bool = True) -> None:
        self.messages: list[dict[str, Any]] = [
            {"type": "http.request", "body": part, "more_body": not ends or number < len(parts) - 1}
            for number, part in enumerate(parts)
        ]
        self.asked = 0

    async def __call__(self) -> dict[str, Any]:
        self.asked += 1
        return self.messages.pop(0) if self.messages else {"type": "http.disconnect"}


def of_length(length: int) -> dict[str, Any]:
    return scope(headers=[(b"content-length", b"%d" % length)])


CHUNKED = scope(headers=[(b"transfer-encoding", b"chunked")])


@pytest.mark.anyio
@pytest.mark.parametrize("head", [of_length(6), CHUNKED, scope(http_version="2", method="POST")])
async def test_a_body_is_put_together(head: dict[str, Any]) -> None:
    request = await read_request(head, Sender(b"abc", b"", b"def"), 6)
    assert request.body == b"abcdef"


@pytest.mark.anyio
@pytest.mark.parametrize("version", ["1.0", "1.1", "2", "3"])
async def test_nothing_is_waited_for_where_there_is_no_body(version: str) -> None:
    sender = Sender(b"")
    assert (await read_request(scope(http_version=version), sender, 6)).body == b""
    assert sender.asked == 0


@pytest.mark.anyio
async def test_a_body_announced_as_too_large_is_not_read() -> None:
    sender = Sender(b"abcdefg")
    with pytest.raises(BodyTooLargeError, match="7 bytes; the limit is 6"):
        await read_request(of_length(7), sender, 6)
    assert sender.asked == 0


@pytest.mark.anyio
@pytest.mark.parametrize("digits", ["9" * 5000, "1" + "0" * 19])
async def test_a_length_of_many_digits_is_too_large(digits: str) -> None:
    sender = Sender(b"abcdefg")
    with pytest.raises(BodyTooLargeError, match="the limit is 6"):
        await read_request(scope(headers=[(b"content-length", digits.encode())]), sender, 6)
    assert sender.asked == 0


@pytest.mark.anyio
async def test_zeros_before_a_length_do_not_count() -> None:
    head = scope(headers=[(b"content-length", b"0" * 30 + b"6")])
    assert (await read_request(head, Sender(b"abcdef"), 6)).body == b"abcdef"


@pytest.mark.anyio
async def test_a_body_that_turns_out_too_large_is_not_read_on() -> None:
    sender = Sender(b"abc", b"defg", b"never")
    with pytest.raises(BodyTooLargeError, match="more than 6 bytes"):
        await read_request(CHUNKED, sender, 6)
    assert sender.asked == 2


@pytest.mark.anyio
async def test_a_client_that_leaves_halfway() -> None:
    with pytest.raises(ClientGoneError):
        await read_request(of_length(6), Sender(b"abc", ends=False), 6)
