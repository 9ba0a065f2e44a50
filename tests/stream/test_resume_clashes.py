"""Ids that several sessions have sent. A client that comes back with one gets its own events or a new stream, but never
another client's events."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

import pytest

from mockd import BaseSource, Event, SourceContext, SourceKind
from mockd.config.models import Config
from tests.stream.harness import Exchange, Lab
from tests.stream.test_resume import ON, SECONDLY, come_back, data_of, ids_of

pytestmark = pytest.mark.anyio

USER = "{{ request.query.user or request.body.id }}"
FOLLOWING = [{"id": name, "data": f"{name} {USER}"} for name in "abcd"]
LATE = [*({"id": name, "data": name} for name in "abc"), {"id": "d", "data": USER}]
HEADED = [{"id": name, "data": name} for name in "abcd"]


class Params(Config, frozen=True, kw_only=True):
    """None."""


class Running(BaseSource):
    """Events with ids of their own, made while the stream runs."""

    def open(self, context: SourceContext) -> Iterator[Event]:
        user = context.request.query["user"][0]
        for name in "abcd":
            yield Event(f"{name} {user}", id=name)


running = SourceKind("running", Params, lambda params: Running(), "For tests.")
MOCKS: dict[str, dict[str, Any]] = {
    "data": {"events": FOLLOWING},
    "data that follows later": {"events": LATE},
    "type": {"events": [{"id": name, "type": USER, "data": name} for name in "abcd"]},
    "comment": {"events": [{"id": name, "comment": USER, "data": name} for name in "abcd"]},
    "repeat": {"events": FOLLOWING, "repeat": 2},
    "drawn": {"events": [{"id": name, "data": f"{name} $uuid"} for name in "abcd"]},
    "drawn inside what follows": {"events": [{"id": name, "data": "{{ request.path }} $uuid"} for name in "abcd"]},
    "the time": {"events": [{"id": name, "data": f"{name} $timestamp"} for name in "abcd"], "seed": 1},
    "a source that runs": {"template": f"{__name__}:running"},
}


async def opened(lab: Lab, user: str, **request: Any) -> Exchange:
    return await lab.open(f"/stream?user={user}", **request)


async def two_clients(lab: Lab, sse: dict[str, Any], *users: str) -> list[Exchange]:
    """Two clients that have been sent a, b and c, and have gone."""
    lab.mock(**{"timing": SECONDLY, "resume": ON, **sse})
    clients = [await opened(lab, user) for user in users]
    await lab.clock.advance(2.5)
    for client in clients:
        await client.hang_up()
    return clients


@pytest.mark.parametrize("kind", MOCKS)
async def test_a_stream_begins_anew_if_the_bytes_of_the_sessions_differ(lab: Lab, kind: str) -> None:
    await two_clients(lab, MOCKS[kind], "ann", "bob")
    for user in ("ann", "bob", "eve"):
        again = await opened(lab, user, headers={"Last-Event-ID": "b"})
        await lab.clock.advance(60)
        assert again.status == 200
        assert ids_of(again)[:4] == list("abcd")
        assert not {"ann", "bob", "eve"} - {user} & set(again.text.split())


@pytest.mark.parametrize("kind", MOCKS)
async def test_a_session_that_is_the_only_one_with_an_id_goes_on(lab: Lab, kind: str) -> None:
    lab.mock(**{"timing": SECONDLY, "resume": ON, **MOCKS[kind]})
    first = await opened(lab, "ann")
    await lab.clock.advance(1.5)
    second = await opened(lab, "bob")
    await lab.clock.advance(0.5)
    for client in (first, second):
        await client.hang_up()
    again = await opened(lab, "ann", headers={"Last-Event-ID": "c"})
    await lab.clock.advance(60)
    assert ids_of(again)[0] == "d"
    assert "bob" not in again.text


@pytest.mark.parametrize(
    "sse",
    [
        pytest.param({"events": HEADED}, id="the same for all"),
        pytest.param({"events": FOLLOWING}, id="which follows equal requests"),
        pytest.param({"events": [{"id": name, "data": f"{name} $uuid"} for name in "abcd"], "seed": 1}, id="a seed"),
        pytest.param({"events": [{"id": "a", "data": "$uuid {{ request.path }}"}, *HEADED[1:]], "seed": 1}, id="both"),
    ],
)
async def test_sessions_with_the_same_bytes_are_all_the_same(lab: Lab, sse: dict[str, Any]) -> None:
    await two_clients(lab, sse, "ann", "ann")
    again = await opened(lab, "ann", headers={"Last-Event-ID": "c"})
    await lab.clock.advance(60)
    assert ids_of(again) == ["d"]


@pytest.mark.parametrize(
    "events",
    [
        pytest.param([{"data": f"{name} {USER}"} for name in "abcd"], id="none"),
        pytest.param([{"id": f"{USER}-{name}", "data": f"{name} {USER}"} for name in "abcd"], id="that follow too"),
    ],
)
async def test_ids_that_do_not_clash_continue_each_session(lab: Lab, events: list[dict[str, Any]]) -> None:
    for client, user in zip(await two_clients(lab, {"events": events}, "ann", "bob"), ("ann", "bob"), strict=True):
        again = await opened(lab, "eve", headers={"Last-Event-ID": ids_of(client)[2]})
        await lab.clock.advance(60)
        assert data_of(again) == f"d {user}"


@pytest.mark.parametrize("how", ["evicted", "aged", "cleared"])
@pytest.mark.parametrize("kind", ["data", "a source that runs"])
async def test_a_session_that_is_forgotten_leaves_its_ids_to_no_other(lab: Lab, kind: str, how: str) -> None:
    resume = {**ON, "bufferSize": 2} if how == "evicted" else ON
    lab.mock(**{"timing": SECONDLY, **MOCKS[kind], "resume": resume})
    ann = await opened(lab, "ann")
    await lab.clock.advance(2.5)
    await ann.hang_up()
    if how == "aged":
        await lab.clock.advance(400)
    elif how == "cleared":
        lab.engine.streams.clear_buffer("mock")
    bob = await opened(lab, "bob")
    await lab.clock.advance(2.5)
    await bob.hang_up()
    again = await opened(lab, "ann", headers={"Last-Event-ID": "a"})
    await lab.clock.advance(60)
    assert data_of(again) == "a ann b ann c ann d ann"


async def test_a_client_that_has_everything_is_told_so_although_ids_clash(lab: Lab) -> None:
    lab.mock(events=FOLLOWING, timing=SECONDLY, resume=ON)
    for user in ("ann", "bob"):
        await opened(lab, user)
    await lab.clock.advance(60)
    assert (await come_back(lab, "d")).status == 204
    assert (await come_back(lab, "c")).status == 200


async def test_final_events_clash_too(lab: Lab) -> None:
    final = {"termination": {"finalEvent": {"id": "end", "data": "bye"}}, "connectionTimeout": 1.5}
    lab.mock(events=FOLLOWING, timing=SECONDLY, resume=ON, lifecycle=final)
    await opened(lab, "ann")
    again = await opened(lab, "ann", headers={"Last-Event-ID": "end"})
    assert data_of(again) == "a ann"
    await lab.clock.advance(60)
    again = await opened(lab, "ann", headers={"Last-Event-ID": "end"})
    assert data_of(again).startswith("c ann d ann")
    await opened(lab, "bob")
    await lab.clock.advance(60)
    again = await opened(lab, "ann", headers={"Last-Event-ID": "end"})
    assert data_of(again) == "a ann"


@pytest.mark.parametrize(("events", "ids"), [(HEADED, ["d"]), (FOLLOWING, list("abcd"))])
async def test_a_session_that_was_pushed_out_clashes_unless_all_are_the_same(
    events: list[dict[str, Any]], ids: list[str]
) -> None:
    lab = Lab(max_sessions=1)
    await two_clients(lab, {"events": events}, "ann", "bob")
    again = await opened(lab, "ann", headers={"Last-Event-ID": "c"})
    await lab.clock.advance(60)
    assert ids_of(again) == ids


async def test_calls_that_run_side_by_side_lose_no_answer(lab: Lab) -> None:
    """Clients of the Model Context Protocol call tools at the same time, and fetch what they missed with a GET."""
    answer = {"jsonrpc": "2.0", "id": "{{ request.body.id }}", "result": "{{ request.body.params }}"}
    events = [{"data": {"progress": 1}}, {"data": answer}]
    lab.mock(events=events, timing=SECONDLY, resume=ON)
    calls = [json.dumps({"id": n, "params": f"p{n}"}).encode() for n in range(3)]
    clients = [await lab.open(method="POST", body=body) for body in calls]
    await lab.clock.advance(0.5)
    for client in clients:
        await client.hang_up()
    await lab.clock.advance(60)
    for number, client in enumerate(clients):
        again = await come_back(lab, ids_of(client)[-1])
        assert json.loads(data_of(again))["result"] == f"p{number}"
