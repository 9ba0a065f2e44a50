"""`mockd serve --torture`: every variant under a key of its own, and their list for tests in any language."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import httpx2
import pytest

from mockd.client import AdminClient
from mockd.framing.variants import variants
from mockd.torture.marks import MARKS, PLAIN
from mockd.torture.variants import UNSEEN
from tests.cli.harness import Served, clean_environ, free_port
from tests.programs import program

EVENTS = [{"data": "Grüße"}, {"data": "two\nlines"}]
SERVE = [sys.executable, "-m", "mockd", "serve", "--port", "0"]
PATIENCE_S = 30


@pytest.fixture
def served(tmp_path: Path) -> Iterator[Served]:
    mock = {"id": "chat", "matcher": {"path": "/chat"}, "sse": {"events": EVENTS}}
    other = {"id": "other", "matcher": {"path": "/other"}, "response": {"body": "hi"}}
    (tmp_path / "mocks.json").write_text(json.dumps([mock, other]))
    arguments = (str(tmp_path / "mocks.json"), "--torture", f"{tmp_path / 'mocks.json'}#chat")
    server = Served(*arguments, "--admin-port", str(free_port()))
    yield server
    server.stop()


def test_every_variant_is_listed_and_served(served: Served) -> None:
    assert served.wait_for(lambda line: "torture" in line)["torture"] == served.admin + "/torture"
    listed = httpx2.get(served.admin + "/torture").json()
    names = [one["variant"] for one in listed]
    assert names[0] == "clean"
    assert sorted(names[1:]) == sorted([*(one.name for one in variants("sse")), *(f"unseen-{name}" for name in UNSEEN)])
    assert [one.keys() for one in listed] == [{"variant", "neutral", "url"}] * len(listed)
    neutral = {one["variant"]: one["neutral"] for one in listed}
    assert (neutral["clean"], neutral["bom"], neutral["finalBlankLine"]) == (True, True, False)
    assert len({one["url"] for one in listed}) == len(listed)
    for one in listed:
        assert one["url"].startswith(served.mocks + "/~v")
        with httpx2.stream("GET", one["url"]) as answer:
            assert answer.status_code == 200
    assert httpx2.get(served.mocks + "/chat").text == httpx2.get(listed[0]["url"]).text
    assert httpx2.get(served.mocks + "/other").text == "hi"


def test_marks_in_the_data(tmp_path: Path) -> None:
    """The mock has them already; the list says what stands in their place."""
    mock = {"matcher": {"path": "/chat"}, "sse": {"events": [{"data": PLAIN}]}}
    (tmp_path / "mocks.json").write_text(json.dumps(mock))
    server = Served("--torture", str(tmp_path / "mocks.json"), "--admin-port", str(free_port()))
    try:
        listed = {one["variant"]: one for one in httpx2.get(server.admin + "/torture").json()}
        assert {name for name in listed if name.startswith("data-")} == {f"data-{name}" for name in MARKS}
        assert listed["clean"]["mark"] == listed["bom"]["mark"] == PLAIN
        for name, mark in MARKS.items():
            one = listed[f"data-{name}"]
            assert (one["mark"], one["neutral"]) == (mark.text, True)
            assert httpx2.get(one["url"]).content == f"data: {mark.text}\n\n".encode()
    finally:
        server.stop()


def test_they_stay_after_a_reset(served: Served) -> None:
    with AdminClient(served.admin) as admin:
        admin.reset(mocks=True)
        for one in admin.list_variants():
            with httpx2.stream("GET", one["url"]) as answer:
                assert answer.status_code == 200, one


def test_a_loop_in_another_language(served: Served) -> None:
    """A shell, curl and Python's JSON: what a test in any language does."""
    script = """
    curl -s "$1/torture" | tr '}' '\\n' | sed -n 's/.*"neutral":true.*"url":"\\([^"]*\\)".*/\\1/p' |
    while read -r url; do curl -s --max-time 20 "$url" | head -c 1 | wc -c; done
    """
    program("curl")
    done = subprocess.run(
        ["sh", "-c", script, "sh", served.admin], capture_output=True, text=True, check=True, env=clean_environ()
    )
    assert done.stdout.split() == ["1"] * sum(one["neutral"] for one in httpx2.get(served.admin + "/torture").json())


def test_without_the_option(tmp_path: Path) -> None:
    server = Served("--admin-port", str(free_port()))
    try:
        answer = httpx2.get(server.admin + "/torture")
    finally:
        server.stop()
    assert answer.status_code == 404
    assert "--torture" in answer.json()["message"]


def test_without_keys_in_paths(tmp_path: Path) -> None:
    (tmp_path / "mocks.json").write_text(json.dumps({"matcher": {"path": "/a"}, "sse": {"events": EVENTS}}))
    file = str(tmp_path / "mocks.json")
    command = [*SERVE, "--admin-port", str(free_port()), "--no-key-path", "--torture", file]
    done = subprocess.run(command, capture_output=True, check=False, text=True, timeout=PATIENCE_S, env=clean_environ())
    assert done.returncode == 2
    assert "no path can have a key" in done.stderr


def test_a_mock_that_is_not_there(tmp_path: Path) -> None:
    command = [*SERVE, "--admin-port", str(free_port()), "--torture", str(tmp_path / "none.json")]
    done = subprocess.run(command, capture_output=True, check=False, text=True, timeout=PATIENCE_S, env=clean_environ())
    assert done.returncode == 2
    assert "there is no such file" in done.stderr
