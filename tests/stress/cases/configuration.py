"""Configurations: nearly right ones, any texts, and files outside the folder for data files."""

from __future__ import annotations

import json
from contextlib import suppress
from typing import Any
from urllib.parse import quote

import yaml
from hypothesis import strategies as st

from tests.admin.nearly import SHAPES, nearly_mocks, values
from tests.stress.asking import JSON, YAML, ask
from tests.stress.cases.rounds import Round, examples, spoilt
from tests.stress.server import SECRET, Server
from tests.wire.sockets import Client

_READ_S = 0.2


def check_mock(server: Server, mock: Any) -> None:
    """A mock is refused, or it can be exported, imported again as it was, asked for and deleted."""
    status, answer = ask(server.admin + "/mocks", "POST", mock)
    assert status in (201, 400, 409), answer
    if status != 201:
        return
    mock_id = json.loads(answer)["mock"]["id"]
    try:
        for query, headers in (("", JSON), ("?format=yaml", YAML)):
            _, exported = ask(f"{server.admin}/config{query}")
            imported, answer = ask(server.admin + "/config", "POST", exported, headers)
            assert imported == 200, answer
            assert ask(f"{server.admin}/config{query}")[1] == exported
        look_at(server, mock)
    finally:
        assert ask(f"{server.admin}/mocks/{quote(mock_id, safe='')}", "DELETE")[0] == 204


def look_at(server: Server, mock: Any) -> None:
    """Ask for a mock, for a moment, and see that no status is an error that it does not tell of."""
    flat = mock.get("http", mock)
    path = flat["matcher"].get("path") or "/"
    with Client(server.mocks) as client:
        client.socket.settimeout(_READ_S)
        with suppress(TimeoutError, AssertionError, ConnectionError):  # it says nothing yet, or breaks off
            status, _ = client.ask(quote(path, safe="/{}*")).read_head()
            scripted = str(status) in json.dumps(mock) or "{{" in json.dumps(mock)
            if status >= 500 and not scripted:
                raise ValueError(f"{status} for {mock}")
            client.read_chunks()


_JSON_PARTS = (
    '{"mocks": [', "{", "}", "[", "]", '"a"', ":", ",", "\\ud800", "\\u0000", "1e999", "-0", "9" * 50, "NaN", "\n",
)  # fmt: skip
_YAML_PARTS = (
    "mocks:\n", "- ", "  ", "\n", ": ", "a", "&a ", "*a", "<<: *a", "!!python/object:os.system ", "!!binary ", "? ",
    "| ", "> ", "%YAML 9.9\n", "---\n", "...", "'", '"', "{", "[", "]", "}", ", ", "0x1F", "1:30", "~", "yes",
    "2026-01-01",
)  # fmt: skip

_IN_JSON, _IN_YAML = ([write(shape) for shape in SHAPES] for write in (json.dumps, yaml.safe_dump))


def check_text(server: Server, text: tuple[str, dict[str, str]]) -> None:
    written, headers = text
    body = written.encode("utf-8", "surrogatepass")
    status, answer = ask(server.admin + "/config?dryRun=true", "POST", body, headers)
    assert status in (200, 400), answer


_PATH_PARTS = (
    "",
    "..",
    "/",
    "known.txt",
    "outside.txt",
    "link.txt",
    ".",
    "\\",
    "//",
    "~",
    "\0",
    "%2e%2e",
    "etc/passwd",
    "file://",
)
_PATHS = ("known.txt", "./known.txt", "../data/known.txt", "link.txt", "../outside.txt", "/etc/passwd")
_NAMES = ("dataFile", "eventsFile", "bodyFile")


def check_file(server: Server, named: tuple[str, str]) -> None:
    """A data file is inside its folder, or is refused; a path of a request leads to no file at all."""
    field, path = named
    part = {"dataFile": "chunked", "eventsFile": "sse", "bodyFile": "response"}[field]
    mock = {"id": "file", "matcher": {"path": "/file"}, part: {field: path}}
    status, answer = ask(server.admin + "/mocks", "POST", mock)
    assert status in (201, 400), answer
    if status == 201:
        _, body = ask(server.mocks + "/file")
        assert ask(server.admin + "/mocks/file", "DELETE")[0] == 204
        assert SECRET not in body, path
    for url in (server.mocks, server.admin + "/mocks"):
        status, answer = ask(f"{url}/{quote(path, safe='%/')}")
        assert status < 500, answer
        assert SECRET not in answer


CONFIGURATION: dict[str, Round] = {
    "nearly mocks": examples(nearly_mocks(), check_mock),
    "JSON values": examples(values, check_mock),
    "JSON texts": examples(st.tuples(spoilt(_IN_JSON, _JSON_PARTS), st.just(JSON)), check_text),
    "YAML texts": examples(st.tuples(spoilt(_IN_YAML, _YAML_PARTS), st.just(YAML)), check_text),
    "paths of files": examples(st.tuples(st.sampled_from(_NAMES), spoilt(_PATHS, _PATH_PARTS)), check_file),
}
