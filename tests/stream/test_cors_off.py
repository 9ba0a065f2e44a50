"""CORS turned off, for one mock or for all: no header of it on any answer, and preflights are ordinary requests."""

from __future__ import annotations

from typing import Any

import pytest

from mockd.errors import ConfigError
from tests.stream.harness import PATH, Exchange, Lab, words

pytestmark = pytest.mark.anyio

PAGE = {"Origin": "https://page.example"}
PREFLIGHT = {**PAGE, "Access-Control-Request-Method": "POST", "Access-Control-Request-Headers": "content-type"}
KINDS: dict[str, tuple[str, dict[str, Any]]] = {
    "stream": ("sse", {"events": words(1)}),
    "session": ("sse", {"events": words(1), "resume": {"enabled": True}}),
    "chunked": ("chunked", {"data": "x"}),
    "whole": ("response", {"body": "x"}),
    "error": ("sse", {"template": "openai-chat", "templateParams": {"error": {"status": 429}}}),
    "failure": ("response", {"body": "{{ 1 + request.path }}"}),
}


def mock(lab: Lab, mock_id: str, *, method: str | None = None, kind: str = "whole", **more: Any) -> None:
    part, config = KINDS[kind]
    matcher = more.pop("matcher", {"path": PATH})
    lab.engine.create({"id": mock_id, "matcher": matcher | ({"method": method} if method else {}), part: config} | more)


def has_cors(answer: Exchange) -> bool:
    return bool({name for name in answer.headers if name.startswith("access-control")} | {"vary"} & set(answer.headers))


@pytest.mark.parametrize("kind", KINDS)
async def test_no_header_of_it_on_any_answer(lab: Lab, kind: str) -> None:
    mock(lab, "open", kind=kind, matcher={"path": "/open"})
    mock(lab, "closed", kind=kind, cors=False)
    opened, closed = await lab.open("/open", headers=PAGE), await lab.open(headers=PAGE)
    assert (has_cors(opened), has_cors(closed)) == (True, False)
    assert (closed.status, len(closed.body)) == (opened.status, len(opened.body))


async def test_the_mocks_own_headers_stay() -> None:
    lab = Lab()
    own = {"Access-Control-Allow-Origin": "https://only.example"}
    lab.engine.create({"id": "a", "matcher": {"path": PATH}, "cors": False, "response": {"body": "x", "headers": own}})
    headers = (await lab.open(headers=PAGE)).headers
    assert headers["access-control-allow-origin"] == "https://only.example"
    assert "access-control-allow-credentials" not in headers


@pytest.mark.parametrize("method", [None, "POST", "OPTIONS"])
async def test_its_preflight_is_a_request_like_any_other(lab: Lab, method: str | None) -> None:
    mock(lab, "a", method="POST", cors=False)
    if method != "POST":
        mock(lab, "options", method=method, kind="chunked", cors=False, priority=-1)
    answer = await lab.open(method="OPTIONS", headers=PREFLIGHT)
    assert answer.status == (404 if method == "POST" else 200)
    assert not has_cors(answer)


@pytest.mark.parametrize(
    ("matcher", "asked", "is_its"),
    [
        ({"path": PATH, "method": "POST"}, "POST", True),
        ({"path": PATH, "method": "POST"}, "GET", False),
        ({"path": PATH, "method": "GET"}, "HEAD", True),
        ({"path": PATH, "method": "get"}, "get", True),
        ({"path": PATH}, "DELETE", True),
        ({"path": "/other"}, "POST", False),
        ({"path": "/str*"}, "POST", True),
        ({"path": "/*x"}, "POST", False),
        ({"path": "/{one}"}, "POST", True),
        ({"pathPattern": "^/s"}, "POST", True),
        ({"pathPattern": "^/x"}, "POST", False),
        ({"path": PATH, "queryParams": {"a": "1"}}, "POST", True),
        ({"path": PATH, "queryParams": {"a": "2"}}, "POST", False),
        ({"path": PATH, "headers": {"X-Key": "1"}}, "POST", True),
        ({"headers": {"X-Key": "1"}}, "POST", True),
        ({"path": PATH, "bodyContains": "x"}, "POST", True),
        ({"path": PATH, "bodyJsonPath": {"$.a": 1}}, "POST", True),
    ],
    ids=str,
)
async def test_a_preflight_belongs_to_the_mock_whose_url_and_method_fit(
    lab: Lab, matcher: dict[str, Any], asked: str, is_its: bool
) -> None:
    mock(lab, "closed", matcher=matcher, cors=False)
    asking = {**PREFLIGHT, "Access-Control-Request-Method": asked}
    answer = await lab.open(f"{PATH}?a=1", method="OPTIONS", headers=asking)
    assert (answer.status == 204) is not is_its
    assert has_cors(answer) is not is_its


@pytest.mark.parametrize("closed_first", [True, False])
@pytest.mark.parametrize("matcher", [{"path": PATH}, {"path": "/{any}"}, {"pathPattern": "^/s"}], ids=str)
async def test_of_several_mocks_the_first_in_rank_decides(
    lab: Lab, matcher: dict[str, str], closed_first: bool
) -> None:
    mock(lab, "open", method="POST", priority=0)
    mock(lab, "closed", method="POST", matcher=matcher, priority=1 if closed_first else -1, cors=False)
    answer = await lab.open(method="OPTIONS", headers=PREFLIGHT)
    assert answer.status == (404 if closed_first else 204)


async def test_it_can_be_changed_while_streams_run(lab: Lab) -> None:
    mock(lab, "a")
    lab.engine.patch("a", {"sse": {"events": words(1), "lifecycle": {"keepOpen": True}}, "response": None})
    stream = await lab.open(headers=PAGE)
    lab.engine.patch("a", {"cors": False})
    assert stream.is_open
    assert has_cors(stream)
    assert not has_cors(await lab.open(headers=PAGE))


async def test_a_disabled_mock_has_no_say(lab: Lab) -> None:
    mock(lab, "a", cors=False)
    lab.engine.toggle("a")
    assert (await lab.open(method="OPTIONS", headers=PREFLIGHT)).status == 204


async def test_off_for_the_whole_server() -> None:
    lab = Lab(cors=False, max_connections=1)
    for kind in KINDS:
        mock(lab, kind, kind=kind, matcher={"path": f"/{kind}"})
    for kind in KINDS:
        assert not has_cors(await lab.open(f"/{kind}", headers=PAGE))
    miss = await lab.open("/nothing", headers=PAGE)
    preflight = await lab.open("/nothing", method="OPTIONS", headers=PREFLIGHT)
    mock(lab, "open", kind="stream", matcher={"path": "/busy"})
    lab.engine.patch("open", {"sse": {"lifecycle": {"keepOpen": True}}})
    await lab.open("/busy")
    full = await lab.open("/busy", headers=PAGE)
    assert [answer.status for answer in (miss, preflight, full)] == [404, 404, 503]
    assert not any(map(has_cors, (miss, preflight, full)))
    assert (await lab.open("/busy", method="OPTIONS", headers=PREFLIGHT)).status == 503


async def test_an_answer_in_place_of_the_mocks_has_none_either() -> None:
    lab = Lab(max_connections=1)
    mock(lab, "a", kind="stream", cors=False)
    lab.engine.patch("a", {"sse": {"lifecycle": {"keepOpen": True}}})
    await lab.open()
    full = await lab.open(headers=PAGE)
    assert (full.status, has_cors(full)) == (503, False)


@pytest.mark.parametrize("value", ["false", 0, None, {}], ids=str)
def test_it_is_true_or_false(value: Any) -> None:
    with pytest.raises(ConfigError) as refused:
        mock(Lab(), "a", cors=value)
    assert refused.value.problems[0].path == ("cors",)
