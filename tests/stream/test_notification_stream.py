"""`notification-stream`: each item once, its type, what is added to it, and when."""

from __future__ import annotations

import json
import uuid
from typing import Any

import pytest

from mockd.errors import ConfigError
from tests.stream.harness import Exchange, Lab

pytestmark = pytest.mark.anyio


async def stream(lab: Lab, params: dict[str, Any] | None = None, **sse: Any) -> Exchange:
    more = {} if params is None else {"templateParams": params}
    return await lab.run(template="notification-stream", **more, **sse)


def types(exchange: Exchange) -> list[str]:
    return [block.split("\n")[0].removeprefix("event: ") for _, block in exchange.blocks]


async def test_four_items_a_second_apart_by_default(lab: Lab) -> None:
    exchange = await stream(lab)
    assert exchange.times == [0, 1000, 2000, 3000]
    items = [json.loads(data) for _, data in exchange.events]
    assert [item["type"] for item in items] == types(exchange)
    assert all(set(item) == {"type", "message"} for item in items)


ITEMS = [{"type": "alert", "message": "a"}, {"message": "b"}, "text", 5, None, {"type": 7}]


@pytest.mark.parametrize(
    ("more", "names"),
    [
        ({}, ["alert", "notification", "notification", "notification", "notification", "notification"]),
        ({"eventType": "note"}, ["note"] * 6),
        ({"eventType": "$pick:note"}, ["note"] * 6),
    ],
)
@pytest.mark.parametrize("key", ["notifications", "messages"])
async def test_type_and_data(lab: Lab, key: str, more: dict[str, Any], names: list[str]) -> None:
    exchange = await stream(lab, {key: ITEMS, **more})
    assert types(exchange) == names
    assert [data for _, data in exchange.events] == [
        '{"type":"alert","message":"a"}', '{"message":"b"}', "text", "5", "null", '{"type":7}',
    ]  # fmt: skip


async def test_the_pages_item(lab: Lab) -> None:
    exchange = await stream(
        lab,
        {
            "notifications": [{"type": "alert", "message": "System update"}],
            "includeTimestamp": True,
            "includeId": True,
            "eventType": "notification",
        },
    )
    assert types(exchange) == ["notification"]
    item = json.loads(exchange.events[0][1])
    assert uuid.UUID(item.pop("id")).version == 4
    assert item == {"type": "alert", "message": "System update", "timestamp": "2024-01-15T10:00:00Z"}


async def test_what_an_item_has_is_not_replaced(lab: Lab) -> None:
    items = [{"id": 7, "timestamp": None}, {"a": 1}, "text"]
    exchange = await stream(lab, {"notifications": items, "includeId": True, "includeTimestamp": True})
    first, second, third = (data for _, data in exchange.events)
    assert json.loads(first) == {"id": 7, "timestamp": None}
    assert set(json.loads(second)) == {"a", "id", "timestamp"}
    assert json.loads(second)["timestamp"] == "2024-01-15T10:00:01Z"
    assert third == "text"


async def test_items_have_placeholders(lab: Lab) -> None:
    exchange = await stream(lab, {"notifications": [{"n": "$random:3:3", "type": "$pick:alert"}, "$random:4:4"]})
    assert exchange.events == [(0, '{"n":3,"type":"alert"}'), (1000, "4")]
    assert types(exchange)[0] == "alert"


@pytest.mark.parametrize(
    ("params", "timing", "moments"),
    [
        ({}, {}, [0, 1000]),
        ({"interval": 50}, {}, [0, 50]),
        ({}, {"fixedDelay": 20}, [0, 20]),
        ({}, {"fixedDelay": 0}, [0, 0]),
        ({"interval": 50}, {"fixedDelay": 20}, [0, 20]),
        ({}, {"initialDelay": 300}, [300, 1300]),
        ({}, {"burst": {"count": 2, "interval": 5, "pause": 10}}, [0, 5]),
        ({}, {"perEventDelays": [7]}, [7, 1007]),
    ],
    ids=str,
)
async def test_timing(lab: Lab, params: dict[str, Any], timing: dict[str, Any], moments: list[int]) -> None:
    exchange = await stream(lab, {"notifications": [1, 2], **params}, timing=timing)
    assert exchange.times == moments


async def test_loop_starts_again_for_ever(lab: Lab) -> None:
    exchange = await stream(lab, {"messages": [1, 2], "interval": 10, "loop": True}, lifecycle={"maxEvents": 5})
    assert exchange.events == [(0, "1"), (10, "2"), (20, "1"), (30, "2"), (40, "1")]


@pytest.mark.parametrize(
    ("params", "text"),
    [
        ({"notification": []}, "did you mean `notifications`?"),
        ({"notifications": [], "messages": []}, "give one"),
        ({"includeId": 1}, "$.sse.templateParams.includeId"),
        ({"eventType": "a\nb"}, "line break"),
        ({"notifications": [{"type": "a\nb"}]}, "$.sse.templateParams.notifications[0].type"),
        ({"notifications": [1, "$random:x"]}, "$.sse.templateParams.notifications[1]"),
        ({"interval": -1}, "$.sse.templateParams.interval"),
    ],
    ids=str,
)
async def test_wrong_parameters_are_refused_with_their_place(params: dict[str, Any], text: str) -> None:
    with pytest.raises(ConfigError) as caught:
        Lab().mock("sse", template="notification-stream", templateParams=params)
    assert text in str(caught.value)
