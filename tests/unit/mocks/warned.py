"""Mocks that can hardly be meant as they are, with the place of the warning about each, and others that can."""

from __future__ import annotations

from typing import Any

EVENTS = [{"data": 1}, {"data": 2}, {"data": 3}]
CHAT = {"template": "openai-chat", "templateParams": {"tokens": ["a", "b"]}}


def path(path: str) -> dict[str, Any]:
    return {"matcher": {"path": path}}


def matching(**criteria: Any) -> dict[str, Any]:
    return {"matcher": {"path": "/a", **criteria}}


def sse(**fields: Any) -> dict[str, Any]:
    return {"sse": {"events": EVENTS, **fields}}


def lifecycle(**fields: Any) -> dict[str, Any]:
    return sse(lifecycle=fields)


def termination(**fields: Any) -> dict[str, Any]:
    return lifecycle(termination=fields)


def timing(**fields: Any) -> dict[str, Any]:
    return sse(timing=fields)


def chunked(**fields: Any) -> dict[str, Any]:
    return {"chunked": {"data": "a b", **fields}}


def resuming(*events: dict[str, Any]) -> dict[str, Any]:
    return {"sse": {"events": list(events), "resume": {"enabled": True}}}


LAST = {"data": "bye"}
SAID = "{{ request.body.text }}"
LIFE = "sse.lifecycle"
ENDING = f"{LIFE}.termination"
DISTRIBUTION = {"dist": "uniform", "max": 5}

WARNED: dict[str, list[tuple[dict[str, Any], str, str]]] = {
    "path-of-a-key": [
        (path("/~user/feed"), "matcher.path", "--no-key-path"),
        (path("/~"), "matcher.path", "leave"),
        ({"matcher": {"pathPattern": "^/~[a-z]+/feed$"}}, "matcher.pathPattern", "--no-key-path"),
        ({"matcher": {"pathPattern": "/~a"}}, "matcher.pathPattern", "--no-key-path"),
    ],
    "path": [
        (path("/a?x=1"), "matcher.path", "queryParams"),
        (path("/a/:id"), "matcher.path", "`{id}`"),
        (path("/a/:id/b"), "matcher.path", "`{id}`"),
        (path("/a/<int:id>"), "matcher.path", "`{id}`"),
        (path("/a/<id>"), "matcher.path", "`{id}`"),
        (path("/a/.*"), "matcher.path", "pathPattern"),
        (path("/a/[0-9]+"), "matcher.path", "pathPattern"),
        (path("/a/\\d+"), "matcher.path", "pathPattern"),
        (path("/(a|b)"), "matcher.path", "pathPattern"),
        (path("/a$"), "matcher.path", "pathPattern"),
        (path("/a#top"), "matcher.path", "leave it out"),
    ],
    "path-pattern": [({"matcher": {"pathPattern": "^/a\\?x="}}, "matcher.pathPattern", "queryParams")],
    "matched-values": [
        (matching(headers={"Authorization": "Bearer .*"}), "matcher.headers.Authorization", '{"pattern": "…"}'),
        (matching(headers={"a": "^x$"}), "matcher.headers.a", "pattern"),
        (matching(headers={"a": "(x|y)"}), "matcher.headers.a", "pattern"),
        (matching(headers={"Accept:": "x"}), "matcher.headers.Accept:", "correct"),
        (matching(queryParams={"q": "*"}), "matcher.queryParams.q", '{"exists": true}'),
        (matching(queryParams={"q": "\\d+"}), "matcher.queryParams.q", "pattern"),
    ],
    "given-ids": [
        (resuming({"id": "a", "data": SAID}), "sse.events.0.id", "leave the ids out"),
        (resuming({"data": 1}, {"id": "a", "data": SAID}), "sse.events.1.id", "leave the ids out"),
        (resuming({"id": "a", "data": 1}, {"id": "b", "type": SAID}), "sse.events.0.id", "leave the ids out"),
        (resuming({"id": SAID, "data": 1}, {"id": "b", "data": 1}), "sse.events.1.id", "leave the ids out"),
        (resuming({"id": "a", "data": 1}, {"id": "b", "data": "$uuid"}), "sse.events.0.id", "`seed`"),
        (resuming({"data": 1}, {"id": "a", "data": "$timestamp"}), "sse.events.1.id", "`seed`"),
    ],
    "matched-body": [
        (matching(method="get", bodyContains="x"), "matcher.bodyContains", "POST"),
        (matching(method="HEAD", bodyJsonPath={"$.a": 1}), "matcher.bodyJsonPath", "POST"),
        (matching(bodyContains="model.*gpt"), "matcher.bodyContains", "bodyPattern"),
    ],
    "unknown-placeholder": [
        ({"response": {"body": {"a": ["$uid"]}}}, "response.body.a.0", "`$uuid`"),
        (sse(events=[{"data": "x", "id": "$UUID"}]), "sse.events.0.id", "`$uuid`"),
        (sse(events=[{"data": "at $timestmp"}]), "sse.events.0.data", "`$timestamp`"),
        (sse(events=[{"data": "at $now, $now"}]), "sse.events.0.data", "`$timestamp`"),
        (chunked(data="$rand:1:5"), "chunked.data", "`$random:1:100`"),
        (chunked(data="$random"), "chunked.data", "arguments"),
        (chunked(data="${uuid}"), "chunked.data", "without braces"),
        ({"sse": {"generator": {"type": "random", "random": {"schema": "$guid"}}}}, "", "`$uuid`"),
        (termination(finalEvent={"data": "$uid"}), f"{ENDING}.finalEvent.data", "`$uuid`"),
    ],
    "placeholder-elsewhere": [
        ({"response": {"headers": {"x-id": "$uuid"}}}, "response.headers.x-id", "events"),
        ({"sse": {"template": "openai-chat", "templateParams": {"text": "a $random:1:5"}}}, "", "events"),
    ],
    "body": [
        ({"response": {"status": 204, "body": "x"}}, "response.status", "another status"),
        ({"response": {"statusCode": 304, "body": {}}}, "response.statusCode", "another status"),
        (sse(status=204), "sse.status", "another status"),
        (chunked(status=205), "chunked.status", "another status"),
    ],
    "chunk-size": [
        ({"chunked": {"ndjsonItems": [1], "chunkSize": 5}}, "chunked.chunkSize", "leave it out"),
        (chunked(format="ndjson", chunkSize=5), "chunked.chunkSize", "leave it out"),
        ({"chunked": {"template": "ollama-chat", "chunkSize": 5}}, "chunked.chunkSize", "leave it out"),
    ],
    "timing": [
        (timing(itl=5, tokensPerSecond=5), "sse.timing.tokensPerSecond", "itl"),
        (timing(itl=5, perEventDelays=[5]), "sse.timing.perEventDelays", "itl"),
        (timing(tokensPerSecond=5, fixedDelay=5), "sse.timing.fixedDelay", "tokensPerSecond"),
        (timing(burst={"count": 2}, randomDelay={"max": 5}), "sse.timing.randomDelay", "burst"),
        (timing(randomDelay={"max": 5}, fixedDelay=5), "sse.timing.fixedDelay", "randomDelay"),
        (chunked(chunkDelay=5, timing={"burst": {"count": 2}}), "chunked.chunkDelay", "burst"),
        (
            {"sse": {"template": "openai-chat", "templateParams": {"delayPerToken": 5}, "timing": {"itl": 5}}},
            "sse.templateParams.delayPerToken",
            "itl",
        ),
        (
            {"sse": {"template": "openai-chat", "templateParams": {"delayPerToken": 5}, "timing": {"fixedDelay": 5}}},
            "sse.timing.fixedDelay",
            "delayPerToken",
        ),
    ],
    "burst": [(timing(burst={"count": 1, "interval": 5}), "sse.timing.burst.interval", "count")],
    "delays-by-position": [
        (timing(perEventDelays=[1, 2, 3, 4]), "sse.timing.perEventDelays.3", "leave out"),
        (
            sse(events=[{"data": 1}, {"data": 2, "delay": 5}], timing={"perEventDelays": [1, 2]}),
            "sse.timing.perEventDelays.1",
            "leave out",
        ),
        ({"sse": {**CHAT, "timing": {"perEventDelays": [5]}}}, "sse.timing.perEventDelays.0", "1, 2, counted from 0"),
        (
            {"sse": {"template": "openai-responses", "timing": {"perEventDelays": [0, "5ms"]}}},
            "sse.timing.perEventDelays.1",
            "counted from 0",
        ),
    ],
    "limits": [
        (lifecycle(timeout=30, connectionTimeout=10), f"{LIFE}.timeout", "shorter"),
        (lifecycle(timeout=10, connectionTimeout=10), f"{LIFE}.timeout", "shorter"),
        (lifecycle(timeout=10, keepaliveInterval=15), f"{LIFE}.keepaliveInterval", "shorter"),
        (lifecycle(connectionTimeout=10, keepaliveInterval=15), f"{LIFE}.keepaliveInterval", "shorter"),
        (chunked(lifecycle={"timeout": 30, "connectionTimeout": 10}), "chunked.lifecycle.timeout", "shorter"),
    ],
    "last-event": [
        (lifecycle(simulateDisconnect=5), f"{LIFE}.simulateDisconnect", "smaller"),
        (lifecycle(simulateDisconnect=2, maxEvents=1), f"{LIFE}.simulateDisconnect", "smaller"),
        (lifecycle(simulateDisconnect=1, maxEvents=2), f"{LIFE}.maxEvents", "simulateDisconnect"),
        (lifecycle(maxEvents=2, keepOpen=True), f"{LIFE}.keepOpen", "leave it out"),
        (lifecycle(simulateDisconnect=1, keepOpen=True), f"{LIFE}.keepOpen", "leave it out"),
        (chunked(lifecycle={"simulateDisconnect": 2}), "chunked.lifecycle.simulateDisconnect", "smaller"),
    ],
    "ending": [
        (termination(type="error", closeDelay=5), f"{ENDING}.closeDelay", "type"),
        (termination(type="error", closeDelay=DISTRIBUTION), f"{ENDING}.closeDelay", "type"),
        (termination(type="error", finalEvent=LAST), f"{ENDING}.finalEvent", "type"),
        (termination(type="abrupt", finalEvent=LAST), f"{ENDING}.finalEvent", "type"),
        (termination(type="abrupt", errorEvent=LAST), f"{ENDING}.errorEvent", "type"),
        (termination(errorEvent=LAST), f"{ENDING}.errorEvent", "type"),
        (termination(finalEvent={**LAST, "delay": 5}), f"{ENDING}.finalEvent.delay", "at once"),
        (
            chunked(lifecycle={"termination": {"finalEvent": {**LAST, "type": "bye"}}}),
            "chunked.lifecycle.termination.finalEvent.type",
            "only `data`",
        ),
    ],
    "heartbeat": [
        (
            lifecycle(keepaliveInterval=10, heartbeat={"every": 10_000, "text": "."}),
            f"{LIFE}.keepaliveInterval",
            "leave",
        ),
        (lifecycle(keepaliveInterval=5, heartbeat={"every": 5001, "text": "."}), f"{LIFE}.heartbeat", "leave"),
        (
            chunked(lifecycle={"heartbeat": {"every": 10, "event": {"data": 1, "id": "7"}}}),
            "chunked.lifecycle.heartbeat.event.id",
            "`data`",
        ),
    ],
    "resume": [(sse(resume={"bufferSize": 5}), "sse.resume", '"enabled": true')],
    "requests-of-faults": [
        ({**sse(), "faults": ["reset with probability 0"]}, "faults.0", "other requests"),
        ({**sse(), "faults": ["close", "reset for requests 1-2,4-5 every 3"]}, "faults.1", "other requests"),
        ({**sse(), "faults": ["status 500", "status 429 for requests 1"]}, "faults.1", "remove it"),
        ({**sse(), "faults": ["status 500", "reset after 1 event"]}, "faults.1", "remove it"),
        ({**sse(), "faults": ["empty", "reset after 1 byte"]}, "faults.1", "remove it"),
        ({**sse(), "faults": ["reset after 1 byte", "empty"]}, "faults.0", "remove it"),
        ({**sse(), "faults": ["reset before head", "empty for requests 2-"]}, "faults.1", "remove it"),
        (
            {"responses": [sse(), sse()], "then": "miss", "faults": ["stall", "reset every 3"]},
            "faults.1",
            "other requests",
        ),
    ],
    "places-of-faults": [
        ({**sse(), "faults": ["reset after 40 bytes"]}, "faults.0", "earlier"),
        ({**sse(), "faults": ["reset after 1 ms"]}, "faults.0", "earlier"),
        ({**timing(fixedDelay=20), "faults": ["reset after 41 ms"]}, "faults.0", "earlier"),
        ({**sse(), "faults": ["reset after 4 events"]}, "faults.0", "earlier"),
        ({**sse(repeat=2), "faults": ["stall", {"action": "close", "after": {"events": 7}}]}, "faults.1", "earlier"),
        ({**lifecycle(maxEvents=2), "faults": ["reset after 3 events"]}, "faults.0", "earlier"),
        ({"response": {"body": "four"}, "faults": ["reset after 5 bytes"]}, "faults.0", "earlier"),
        ({"response": {"body": "{{ request.path }}"}, "faults": ["reset after 1 event"]}, "faults.0", "earlier"),
        (
            {"responses": [sse(), {"response": {}}], "faults": ["stall", "reset after 4 events"]},
            "faults.1",
            "earlier",
        ),
    ],
    "places-of-own-faults": [
        (
            {"responses": [{"response": {}}, {**sse(), "faults": ["stall", "reset after 4 events"]}]},
            "responses.1.faults.1",
            "earlier",
        ),
        ({"responses": [{"response": {"body": "four"}, "faults": ["close after 5 bytes"]}]}, "", "earlier"),
    ],
    "requests-of-own-faults": [
        ({"responses": [{**sse(), "faults": ["close", "stall with probability 0"]}]}, "responses.0.faults.1", "other"),
        (
            {"responses": [{"response": {}, "faults": ["close for requests 2"]}, {"response": {}}]},
            "responses.0.faults.0",
            "other",
        ),
        (
            {
                "responses": [{"response": {}, "times": 5, "faults": ["close for requests 3-4,5- every 6"]}],
                "then": "miss",
            },
            "responses.0.faults.0",
            "other",
        ),
    ],
    "framing": [
        (sse(framing={"split": "crlf"}), "sse.framing.split", "crlf"),
        (sse(framing={"split": "utf8"}), "sse.framing.split", "another"),
        (sse(framing={"split": [5, 27]}), "sse.framing.split.1", "earlier"),
        (sse(framing={"comments": {"every": 3, "text": "x"}}), "sse.framing.comments.every", "smaller"),
        (sse(events=EVENTS[:1], framing={"emptyLines": 1}), "sse.framing.emptyLines", "leave"),
        (sse(events=EVENTS[:1], framing={"coalesce": 2}), "sse.framing.coalesce", "leave"),
        (sse(events=[{"id": "1"}], framing={"padding": 9}), "sse.framing.padding", "leave"),
        (sse(framing={"fieldOrder": ["data"]}), "sse.framing.fieldOrder", "leave"),
        (sse(events=[{"data": " x"}], framing={"spaceAfterColon": False}), "sse.framing.spaceAfterColon", "leave"),
        (sse(events=[{"comment": "x"}], framing={"finalBlankLine": False}), "sse.framing.finalBlankLine", "leave"),
        (sse(framing={"coalesce": 2}, flush="event"), "sse.framing.coalesce", "flush"),
        (sse(framing={"charset": "utf-8"}, headers={"content-type": "a/b"}), "sse.framing.charset", "there"),
        (sse(framing={"finalBlankLine": False}, lifecycle={"keepOpen": True}), "sse.framing.finalBlankLine", "leave"),
        (
            {"sse": {"events": [{"raw": "data: 1\n\n"}], "framing": {"lineEnding": "crlf"}}},
            "sse.framing.lineEnding",
            "bytes",
        ),
    ],
    "effects-of-own-faults": [
        ({"responses": [sse(), {"response": {}, "faults": ["drop"]}]}, "responses.1.faults.0", "action"),
    ],
    "times": [
        ({"responses": [{"response": {}}, {**sse(), "times": 2}]}, "responses.1.times", "leave it out"),
        ({"responses": [{"response": {}, "times": 5}], "then": "last"}, "responses.0.times", "say `then`"),
    ],
    "effects-of-faults": [
        ({"response": {"body": "four"}, "faults": ["drop"]}, "faults.0", "action"),
        ({"response": {"body": "four"}, "faults": ["reset", "idle"]}, "faults.1", "`chunked`"),
        ({"response": {"body": "four"}, "faults": ["malformed after 2 bytes"]}, "faults.0", "place"),
        ({"response": {"body": "{{ request.path }}"}, "faults": ["badChunk"]}, "faults.0", "action"),
        ({"response": {"status": 204}, "faults": ["corrupt"]}, "faults.0", "action"),
        ({"response": {"body": "x" * 600}, "profile": "truncating-proxy"}, "profile", "leave the profile out"),
    ],
}
"""For each check: mocks, the place of the warning about each (empty: any place), and a word of its cure."""

NOT_WARNED: list[dict[str, Any]] = [
    chunked(data="a\r\nb", framing={"split": "crlf"}),
    chunked(data="a$uuid", framing={"split": "utf8"}),
    sse(framing={"comments": {"every": 2, "text": "x"}}),
    sse(framing={"comments": {"every": 9, "text": "x"}}, repeat=0),
    sse(framing={"comments": {"every": 9, "text": "x"}}, lifecycle={"keepOpen": True}),
    sse(framing={"comments": {"every": 2, "text": "x"}}, resume={"enabled": True}, lifecycle={"simulateDisconnect": 1}),
    matching(queryParams={"x": "1"}, headers={"Accept": "text/*, */*;q=0.5", "User-Agent": "Mozilla/5.0 (X11; *)"}),
    path("/v1/models/{model}:generateContent"),
    path("/files/*.json"),
    path("/report.*"),
    path("/a/b.c-d_e~f/"),
    matching(bodyContains="a*b.c"),
    {"response": {"body": "$uuid $timestamp $random:1:5 $random(1,5) $pick:a,b $$uid costs $5, $price, US$ 3"}},
    matching(method="POST", bodyContains="x"),
    matching(method="GET", bodyEquals=""),
    {"response": {"status": 204}},
    {"response": {"status": 204, "body": ""}},
    chunked(chunkSize=1),
    timing(perEventDelays=[5], fixedDelay=5, initialDelay=5),
    timing(perEventDelays=[1, 2, 3], burst={"count": 2, "interval": 5, "pause": 9}),
    {"sse": {**CHAT, "timing": {"perEventDelays": [0, 500, 5], "ttft": 5}}},
    sse(repeat=2, timing={"perEventDelays": [1, 2, 3]}),
    {"sse": {"generator": {"type": "sequence", "count": 5}, "timing": {"perEventDelays": [1, 2, 3, 4]}}},
    lifecycle(timeout=10, connectionTimeout=60, keepaliveInterval=5, maxEvents=100),
    lifecycle(keepOpen=True, connectionTimeout=60, keepaliveInterval=15),
    lifecycle(simulateDisconnect=3),
    lifecycle(simulateDisconnect=0),
    sse(repeat=0, lifecycle={"simulateDisconnect": 50}),
    sse(rateLimit={"eventsPerSecond": 1, "strategy": "drop"}, lifecycle={"simulateDisconnect": 4}),
    sse(repeat=0, lifecycle={"keepOpen": True, "maxEvents": 0}),
    sse(resume={"enabled": True}, lifecycle={"simulateDisconnect": 1, "maxEvents": 2, "keepOpen": True}),
    sse(resume={"enabled": False, "bufferSize": 5}),
    termination(finalEvent={**LAST, "type": "bye", "id": "9", "retry": 5, "comment": "c"}, closeDelay=5),
    resuming({"data": SAID}, {"data": 1}),
    resuming({"id": "{{ request.query.user }}-1", "data": SAID}),
    resuming({"id": "a", "data": 1}, {"id": "", "data": 2}),
    {"sse": {**resuming({"id": "a", "data": 1}, {"id": "b", "data": "$uuid"})["sse"], "seed": 1}},
    resuming({"id": "", "data": SAID}),
    {"sse": {"events": [{"id": "a", "data": SAID}]}},
    termination(type="abrupt", closeDelay=5),
    termination(type="error", errorEvent=LAST),
    sse(rateLimit={"eventsPerSecond": 1, "strategy": "error"}, lifecycle={"termination": {"errorEvent": LAST}}),
    lifecycle(simulateDisconnect=1, termination={"type": "error", "closeDelay": 5}),
    {**sse(), "faults": ["reset after 3 events", "close after 27 bytes", "close after 900 wire bytes"]},
    {**timing(fixedDelay=20), "faults": ["close after 39 ms"]},
    {**sse(), "faults": ["delay 500 after 1 event", "close after 59 ms"]},
    {**sse(events=[{"data": "$uuid"}]), "faults": ["close after 40 bytes"]},
    {**lifecycle(keepOpen=True), "faults": ["close after 5000 ms"]},
    {**sse(), "faults": ["status 429 for requests 1", "reset after 1 event for requests 2- every 2"]},
    {**sse(), "faults": ["status 500", "reset after 10 bytes", 'header remove=["date"]', "delay 5"]},
    {**sse(), "faults": ["empty every 2", "reset after 1 event", "empty for requests 3 every 3"]},
    {**sse(repeat=0), "faults": ["reset after 500 events"]},
    {"response": {"body": "four"}, "faults": ["reset after 4 bytes", "reset after 500 wire bytes", "malformed"]},
    {"response": {"body": "{{ request.path }}"}, "faults": ["reset after 500 bytes"]},
    {"sse": CHAT, "faults": ["error after 500 events"]},
    {"responses": [{"response": {}, "times": 2}, sse()]},
    {"responses": [{"response": {}}, {**sse(), "times": 2}], "then": "cycle"},
    {"responses": [{"response": {}}, {**sse(), "times": 2}], "then": "miss"},
    {"responses": [{**sse(), "faults": ["reset after 3 events"]}, sse(repeat=2)], "faults": ["reset after 6 events"]},
    {"responses": [sse(), {**sse(), "faults": ["reset for requests 9"]}]},
    {"responses": [{**sse(), "faults": ["reset for requests 9"]}, sse()], "then": "cycle"},
    {"responses": [{**sse(resume={"enabled": True}), "faults": ["reset for requests 2"]}, sse()], "then": "miss"},
    {"responses": [{**sse(), "faults": ["reset for requests 2"], "times": 2}, sse()], "faults": ["stall every 9"]},
    {"responses": [sse(resume={"enabled": True})], "then": "miss", "faults": ["reset every 9"]},
    {"responses": [sse(), {**sse(), "times": 8}], "then": "miss", "faults": ["reset every 9"]},
    {"response": {}, "scenario": {"name": "login", "when": "start", "set": "in"}},
    {"response": {}, "scenario": {"name": "login", "set": "in"}},
]
