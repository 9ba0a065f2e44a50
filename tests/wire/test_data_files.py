"""Data files that are no longer what they were when their mock was loaded, or change while they are sent."""

from __future__ import annotations

import json
import os
import socket
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import httpx2
import pytest

from mockd.config.opening import open_regular
from mockd.settings import Settings
from mockd.sources import files
from mockd.sources.files import LONGEST_LINE
from mockd.testing import RunningMockd, running_mockd
from tests.kinds_of_files import LEADING_OUT, NO_FILES, huge, put

PLACES: dict[str, dict[str, Any]] = {
    "pieces": {"chunked": {"dataFile": "sub/data.txt"}},
    "lines": {"chunked": {"dataFile": "sub/data.txt", "format": "ndjson"}},
    "body": {"response": {"bodyFile": "sub/data.txt"}},
}


@pytest.fixture
def file(tmp_path: Path) -> Path:
    folder = tmp_path / "root" / "sub"
    folder.mkdir(parents=True)
    (tmp_path / "above.txt").write_text("secret")
    (folder / "data.txt").write_text("content\n")
    return folder / "data.txt"


@pytest.fixture
def mockd(file: Path) -> Iterator[RunningMockd]:
    with running_mockd(settings=Settings(files_root=str(file.parent.parent))) as running:
        yield running


def mock(place: str, **more: Any) -> dict[str, Any]:
    ((kind, part),) = PLACES[place].items()
    return {"id": "a", "matcher": {"path": "/a"}, kind: {**part, **more}}


# -- before the head ---------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("place", PLACES)
@pytest.mark.parametrize("kind", [*NO_FILES, *LEADING_OUT])
def test_what_is_no_file_any_more_is_an_error_of_the_server(
    mockd: RunningMockd, file: Path, place: str, kind: str, caplog: pytest.LogCaptureFixture
) -> None:
    mockd.engine.create(mock(place))
    assert httpx2.get(mockd.url + "/a").text == "content\n"
    put((NO_FILES | LEADING_OUT)[kind], file)
    for method in ("GET", "HEAD"):
        answer = httpx2.request(method, mockd.url + "/a", timeout=10)
        assert answer.status_code == 500
        assert str(file.parent.parent) not in answer.text
    error = httpx2.get(mockd.url + "/a").json()["error"]
    assert error["code"] == "source_error"
    assert "its file cannot be opened: " in error["message"]
    assert ("leads out of the folder" in error["message"]) is (kind in LEADING_OUT or kind == "a device")
    assert "a: its source failed: DataFileError: its file cannot be opened: " in caplog.text
    assert httpx2.get(mockd.url + "/other").status_code == 404


@pytest.mark.parametrize("place", PLACES)
def test_a_file_that_is_there_again_is_sent(mockd: RunningMockd, file: Path, place: str) -> None:
    mockd.engine.create(mock(place))
    put(os.mkfifo, file)
    assert httpx2.get(mockd.url + "/a").status_code == 500
    file.unlink()
    (file.parent / "new.txt").write_text("new\n")
    file.symlink_to("new.txt")
    assert httpx2.get(mockd.url + "/a").text == "new\n"


# -- while it is sent --------------------------------------------------------------------------------------------------

SIZE = 4 << 20
"""Bytes of a file that is larger than what is read ahead."""


def shorten(file: Path) -> None:
    os.truncate(file, 1000)


def grow(file: Path) -> None:
    with file.open("ab") as opened:
        opened.write(b"more\n" * 100_000)


def overtake(file: Path) -> None:
    file.rename(file.with_name("old.txt"))
    os.mkfifo(file)


CHANGES: dict[str, tuple[Callable[[Path], object], bool]] = {
    "it becomes shorter": (shorten, False),
    "it becomes empty": (lambda file: os.truncate(file, 0), False),
    "it becomes longer": (grow, True),
    "it is deleted": (Path.unlink, True),
    "it is replaced by a pipe": (overtake, True),
    "it may no longer be read": (lambda file: file.chmod(0), True),
}
"""What happens to a file, and whether all that it had is sent nonetheless."""
SLOWLY: dict[str, dict[str, Any]] = {
    "pieces": {"chunkSize": 65_536, "chunkDelay": 10},
    "lines": {"chunkDelay": 10},
    "body": {},
}


def ask(mockd: RunningMockd) -> socket.socket:
    """Ask for the file, with hardly any room for what comes."""
    client = socket.socket()
    client.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
    client.settimeout(20)
    client.connect(("127.0.0.1", int(mockd.url.rpartition(":")[2])))
    client.sendall(b"GET /a HTTP/1.1\r\nHost: a\r\n\r\n")
    return client


def rest_of(client: socket.socket) -> bytes:
    with client:
        received = bytearray()
        while b"\r\n0\r\n\r\n" not in received[-7:] and (data := client.recv(1 << 20)):
            received += data
        return bytes(received)


def body_of(received: bytes) -> bytes:
    return received.partition(b"\r\n\r\n")[2]


@pytest.mark.parametrize("place", PLACES)
@pytest.mark.parametrize("change", CHANGES)
def test_what_it_had_at_the_head_is_sent_or_the_body_breaks_off(
    mockd: RunningMockd, file: Path, place: str, change: str, caplog: pytest.LogCaptureFixture
) -> None:
    make, is_whole = CHANGES[change]
    file.write_bytes((b"x" * 65_535 + b"\n") * (SIZE // 65_536))
    mockd.engine.create(mock(place, **SLOWLY[place]))
    client = ask(mockd)
    received = client.recv(1000)
    assert b" 200 " in received
    make(file)
    received += rest_of(client)
    assert received.endswith(b"\r\n0\r\n\r\n") is is_whole
    assert ("its file has become shorter while it was sent" in caplog.text) is not is_whole
    assert b"error" not in received
    if is_whole:
        assert body_of(received).count(b"x") == SIZE - SIZE // 65_536


@pytest.mark.parametrize("end", [b"", b"\nlast\n"], ids=["last", "not last"])
@pytest.mark.parametrize("size", [LONGEST_LINE + 1, LONGEST_LINE])
def test_a_line_that_is_too_long_breaks_off(
    mockd: RunningMockd, file: Path, size: int, end: bytes, caplog: pytest.LogCaptureFixture
) -> None:
    file.write_bytes(b"first\n" + b"x" * size + end)
    mockd.engine.create(mock("lines"))
    received = rest_of(ask(mockd))
    is_whole = size == LONGEST_LINE
    assert received.endswith(b"\r\n0\r\n\r\n") is is_whole
    assert b"first\n" in received
    assert body_of(received).count(b"x") == (size if is_whole else 0)
    assert (f"a line of more than {LONGEST_LINE} bytes" in caplog.text) is not is_whole


@pytest.mark.parametrize("place", PLACES)
def test_a_huge_file_is_never_in_memory(mockd: RunningMockd, file: Path, place: str) -> None:
    """Its mock is loaded, and streams of it end when their client leaves."""
    huge(file)
    mockd.engine.create(mock(place))
    client = ask(mockd)
    assert b" 200 " in client.recv(1000)
    client.close()
    assert json.loads(httpx2.get(mockd.admin_url + "/mocks").text)["total"] == 1


def test_a_folder_that_becomes_a_link_at_the_last_moment(
    mockd: RunningMockd, file: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def replaced_and_opened(path: Path) -> int:
        put(LEADING_OUT["a file in a folder that is a link"], file)
        return open_regular(path)

    mockd.engine.create(mock("body"))
    monkeypatch.setattr(files, "open_regular", replaced_and_opened)
    answer = httpx2.get(mockd.url + "/a")
    assert answer.status_code == 500
    assert "it was replaced" in answer.json()["error"]["message"]
