"""Credentials are compared, and nobody learns them by asking."""

from __future__ import annotations

import json
from typing import Any

import pytest

from mockd.settings import Settings
from mockd.testing import RunningMockd, running_mockd
from tests.wire.test_journal import MOCKS, asked, request
from tests.wire.verify.asking import ok, verified

CANARY = "canary7d1f"
SECRET_HEADERS = (
    "Authorization: Bearer {}",
    "authorization: Basic {}",
    "Proxy-Authorization: {}",
    "Cookie: session={}",
    "X-Api-Key: {}",
    "api-key: {}",
    "x-goog-api-key: {}",
    "X-Amz-Security-Token: {}",
    "Ocp-Apim-Subscription-Key: {}",
    "Referer: http://a.test/?api_key={}&x=1",
)
SECRET_QUERIES = ("key={}", "api_key={}", "access_token={}", "token={}", "KEY={}", "a=1&key={}&b=2")
SECRET_BODIES = (
    '{{"api_key": "{}"}}',
    '{{"apiKey": "{}"}}',
    '{{"a": [{{"access_token": "{}"}}]}}',
    '{{"refresh_token": "{}", "x": 1}}',
    '{{"password": "{}"}}',
    '{{"secret": {{"deep": "{}"}}}}',
    '{{"client_secret": ["{}"]}}',
    '{{"\\u0061pi_key": "{}"}}',
    '{{"broken": 1, "api_key" : "{}", "rest',
    "client_secret={}&grant_type=x",
    "a=1&password={}",
    '--b\r\nContent-Disposition: form-data; name="api_key"\r\n\r\n{}\r\n--b--',
    '\xff{{"api_key": "{}"}}',
)
SEARCHES: tuple[dict[str, Any], ...] = (
    *({"headers": {line.partition(":")[0]: "*canary*"}} for line in SECRET_HEADERS),
    *({"headers": {line.partition(":")[0]: {"pattern": "canary"}}} for line in SECRET_HEADERS),
    *({"queryParams": {name: {"pattern": "canary"}}} for name in ("key", "api_key", "access_token", "token", "KEY")),
    {"bodyContains": "canary"},
    {"bodyPattern": "canary"},
    {"bodyJsonPath": {"$[?search(@, 'canary')]": {"exists": True}}},
    {"bodyJsonPath": {"$..[?search(@, 'canary')]": {"exists": True}}},
)
"""By each of these somebody could learn a secret, letter by letter."""
SECRETS = [
    *(("/whole", b"", header.format(CANARY)) for header in SECRET_HEADERS),
    *((f"/whole?{query.format(CANARY)}", b"", "X: 1") for query in SECRET_QUERIES),
    *(("/whole", body.format(CANARY).encode("latin-1"), "X: 1") for body in SECRET_BODIES),
]


def test_nobody_learns_a_secret_by_asking(one: RunningMockd) -> None:
    for path, body, header in SECRETS:
        asked(one, request(one, path, "POST" if body else "GET", body, header))
    with one.admin() as admin:
        for search in (*SEARCHES, *({"not": search} for search in SEARCHES)):
            wrong = json.loads(json.dumps(search).replace("canary", "nobody"))
            answers = []
            for spec in (search, wrong):
                for never in (False, True):
                    answers.append(admin.verify({"path": "/whole", **spec}, never=never, times=None if never else 99))
            assert [answer["count"] for answer in answers[:2]] == [answer["count"] for answer in answers[2:]], search
            assert [answer["ok"] for answer in answers[:2]] == [answer["ok"] for answer in answers[2:]], search
            said = json.dumps(answers)
            assert CANARY not in said, search
            near = [[field["matched"] for field in each["fields"]] for each in answers[0]["nearest"]]
            assert near == [[field["matched"] for field in each["fields"]] for each in answers[2]["nearest"]], search


@pytest.mark.parametrize("near", [{"bodyContains": "missing"}, {"bodyJsonPath": {"$": 1}}, {"bodyEquals": "x"}])
def test_the_nearest_requests_are_shown_without_their_secrets(one: RunningMockd, near: dict[str, Any]) -> None:
    for path, body, header in SECRETS:
        asked(one, request(one, path, "POST" if body else "GET", body, header))
        said = json.dumps(verified(one, {"path": "/whole", **near}))
        assert CANARY not in said
        assert '"nearest": [{' in said


@pytest.mark.parametrize(
    "spec",
    [
        {"headers": {"Authorization": f"Bearer {CANARY}"}},
        {"headers": {"Authorization": {"exists": True}}},
        {"queryParams": {"api_key": CANARY}},
        {"bodyJsonPath": {"$.api_key": CANARY}},
        {"bodyJsonPath": {"$.api_key": {"exists": True}}},
        {"bodyJsonPath": {"$.user": "ann"}},
        {"bodyEquals": f'{{"api_key": "{CANARY}", "user": "ann"}}'},
    ],
)
def test_whole_values_of_credentials_are_compared(one: RunningMockd, spec: dict[str, Any]) -> None:
    body = f'{{"api_key": "{CANARY}", "user": "ann"}}'.encode()
    asked(one, request(one, f"/whole?api_key={CANARY}", "POST", body, f"Authorization: Bearer {CANARY}"))
    assert ok(one, spec) is True
    wrong = json.loads(json.dumps(spec).replace(CANARY, "wrong").replace("true", "false").replace("ann}", "x}"))
    if wrong != spec:
        answer = verified(one, wrong)
        assert answer["ok"] is False
        assert CANARY not in json.dumps(answer)


@pytest.mark.parametrize(
    ("spec", "known"),
    [
        ({"headers": {"Authorization": "*a*"}}, None),
        ({"headers": {"Authorization": "*a*"}, "bodyEquals": "x"}, False),
        ({"headers": {"Authorization": "*a*"}, "path": "/other"}, False),
        ({"not": {"headers": {"Authorization": "*a*"}, "bodyEquals": "x"}}, True),
        ({"headers": {"Authorization": "*a*"}, "bodyEquals": "abc"}, None),
        ({"headers": {"X-Other": "*a*"}}, False),
        ({"headers": {"Cookie": {"pattern": "a"}}}, False),
    ],
)
def test_other_criteria_decide_if_they_do(one: RunningMockd, spec: dict[str, Any], known: bool | None) -> None:
    asked(one, request(one, "/whole", "POST", b"abc", "Authorization: Bearer abc"))
    assert ok(one, spec) is known


def test_credentials_that_are_kept_can_be_searched() -> None:
    with running_mockd(*MOCKS, settings=Settings(journal_secrets=True)) as server:
        asked(server, request(server, "/whole", "POST", b'{"api_key": "abc"}', "Authorization: Bearer abc"))
        assert ok(server, {"headers": {"Authorization": "*b*"}, "bodyContains": "abc"}) is True
