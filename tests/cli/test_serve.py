from __future__ import annotations

import os
import signal
import socket
import ssl
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import httpx2
import pytest

from mockd.cli import serve as serve_command
from mockd.cli.app import run
from mockd.server.logs import MOST_RECORDS
from tests.cli.harness import PATIENCE_S, Cli, Serve, Served, clean_environ, free_port, mock

Write = Callable[[str, object], Path]

DATA = Path(__file__).parent / "data"
FINAL = {"termination": {"finalEvent": {"type": "close", "data": "bye"}}}
FINAL_FRAME = b"event: close\ndata: bye\n\n"


def attempt(*arguments: str, environ: dict[str, str] | None = None) -> subprocess.CompletedProcess[str]:
    """Start `mockd serve` where it cannot start."""
    return subprocess.run(
        [sys.executable, "-m", "mockd", "serve", *arguments],
        env={**clean_environ(), **(environ or {})},
        capture_output=True,
        check=False,
        text=True,
        timeout=PATIENCE_S,
    )


def open_stream(server: Served, path: str) -> socket.socket:
    """A client of a stream, after the first bytes of its answer."""
    host, _, port = server.mocks.rpartition("/")[2].partition(":")
    client = socket.create_connection((host, int(port)), timeout=PATIENCE_S)
    client.sendall(f"GET {path} HTTP/1.1\r\nHost: {host}\r\n\r\n".encode())
    assert client.recv(65536).startswith(b"HTTP/1.1 200")
    return client


def rest(client: socket.socket) -> bytes:
    with client:
        return b"".join(iter(lambda: client.recv(65536), b""))


def texts(server: Served) -> list[str]:
    return [line["message"] for line in server.lines]


def test_serves_files_and_prints_a_line_to_try(write: Write) -> None:
    file = write("a.json", {**mock("a", "/a/{id}", timing={"fixedDelay": 0}), "name": "A"})
    process = subprocess.Popen(
        [sys.executable, "-m", "mockd", "serve", "--port", "0", "--admin-port", "0", str(file)],
        env=clean_environ(),
        stderr=subprocess.PIPE,
        text=True,
    )
    with process:
        assert process.stderr
        lines = [process.stderr.readline() for _ in range(4)]
        assert "serves 1 mock" in lines[0]
        base = lines[1].split()[1]
        assert lines[2].split() == ["admin", f"{base}/__mockd"]
        assert lines[3].split() == ["try", "curl", "-N", f"{base}/a/1"]
        assert httpx2.get(lines[3].split()[-1]).text == "data: Hello\n\n"
        process.send_signal(signal.SIGTERM)
    assert process.returncode == 0


def test_two_ports(serve: Serve, write: Write) -> None:
    server = serve("--config", str(write("a.json", mock("a", "/a"))))
    assert httpx2.get(server.mocks + "/__mockd/health").status_code == 200
    assert httpx2.get(server.mocks + "/__mockd/mocks").status_code == 404
    assert httpx2.get(server.admin + "/mocks").json()["total"] == 1
    assert "server" not in httpx2.get(server.mocks + "/a").headers


def test_settings_come_from_the_environment_and_options_win(serve: Serve, write: Write) -> None:
    files = [str(write(f"{name}.json", mock(name, f"/{name}"))) for name in ("a", "b", "c")]
    server = serve(environ={"MOCKD_CONFIG": os.pathsep.join(files[:2])})
    assert httpx2.get(server.admin + "/mocks").json()["total"] == 2
    server = serve("--config", files[0], f"--config={files[1]}", files[2], environ={"MOCKD_CONFIG": "nothing.json"})
    assert httpx2.get(server.admin + "/mocks").json()["total"] == 3


@pytest.mark.parametrize(
    ("options", "environ", "has_cors"),
    [
        ((), {}, True),
        (("--no-cors",), {}, False),
        ((), {"MOCKD_CORS": "false"}, False),
        ((), {"MOCKD_CORS": "true"}, True),
        (("--no-cors",), {"MOCKD_CORS": "true"}, False),
    ],
)
def test_cors_can_be_turned_off(
    serve: Serve, write: Write, options: tuple[str, ...], environ: dict[str, str], has_cors: bool
) -> None:
    server = serve("--config", str(write("a.json", mock("a", "/a"))), *options, environ=environ)
    answer = httpx2.get(server.mocks + "/a", headers={"Origin": "https://page.example"})
    assert ("access-control-allow-origin" in answer.headers) is has_cors


@pytest.mark.parametrize("option", ["--port", "--admin-port"])
def test_port_in_use_is_one_line_with_port_and_option(option: str) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = str(taken.getsockname()[1])
        result = attempt("--port", "0", "--admin-port", str(free_port()), option, port)
    assert (result.returncode, result.stdout) == (2, "")
    [line] = result.stderr.splitlines()
    assert f"port {port} on 127.0.0.1 is in use" in line
    assert f"{option} " in line


REFUSED = {
    "workers": (("--workers", "2"), "--workers 2"),
    "port out of range": (("--port", "70000"), "--port (MOCKD_PORT)"),
    "host that is none": (("--host", "no such host"), "--host (MOCKD_HOST)"),
    "address of another machine": (("--host", "192.0.2.1", "--port", "0"), "no address of this machine"),
    "certificate that is not there": (("--tls-cert", "no.pem"), "no.pem"),
    "certificate that is none": (("--tls-cert", __file__), "--tls-cert (MOCKD_TLS_CERT)"),
    "key without certificate": (
        ("--tls-key", str(DATA / "key.pem")),
        "--tls-key (MOCKD_TLS_KEY) needs its certificate: --tls-cert (MOCKD_TLS_CERT) is missing",
    ),
    "certificate without key": (
        ("--tls-cert", str(DATA / "cert.pem")),
        "cert.pem has no key in it: --tls-key (MOCKD_TLS_KEY) is missing",
    ),
    "key as certificate": (("--tls-cert", str(DATA / "key.pem")), "--tls-cert (MOCKD_TLS_CERT)"),
    **{
        f"no key for others by {option}": (
            (option, "0.0.0.0", "--admin-port", port, "--api-key", ""),
            "--api-key (MOCKD_API_KEY): empty, although other machines can reach the admin API",
        )
        for option, port in (("--admin-host", "4290"), ("--host", "0"))
    },
    **{
        f"{option} without preset": ((option, "1"), f"{option} (MOCKD_{option[2:].upper().replace('-', '_')}) shapes")
        for option in ("--preset-text", "--preset-script", "--ttft", "--itl", "--tokens-per-second")
    },
    "file that is not there": (("--config", "no.json"), "no.json"),
}
NO_OPTIONS = [("--cors",), ("--no-cors=true",), ("--no-watch",), ("--watch=true",)]


@pytest.mark.parametrize(("arguments", "part"), REFUSED.values(), ids=REFUSED)
def test_what_stands_against_serving_is_one_line(arguments: tuple[str, ...], part: str) -> None:
    result = attempt("--port", "0", "--admin-port", "0", *arguments)
    assert (result.returncode, result.stdout) == (2, "")
    [line] = result.stderr.splitlines()
    assert part in line


@pytest.mark.parametrize("arguments", NO_OPTIONS, ids=str)
def test_what_is_no_option_is_explained(arguments: tuple[str, ...]) -> None:
    result = attempt("--port", "0", *arguments)
    assert (result.returncode, result.stdout) == (2, "")
    assert arguments[0].partition("=")[0] in result.stderr


@pytest.mark.parametrize(
    ("arguments", "given"),
    [
        ((), {}),
        (("--no-cors", "--watch", "a.json"), {"cors": False, "watch": True, "config": ["a.json"]}),
        (("--port", "0", "--seed", "0"), {"port": "0", "seed": "0"}),
    ],
    ids=str,
)
def test_both_readers_of_options_agree(
    monkeypatch: pytest.MonkeyPatch, arguments: tuple[str, ...], given: dict[str, Any]
) -> None:
    """Typer reads them where there is help to print or a mistake to explain, `parse` where there is not."""
    started: list[dict[str, Any]] = []
    monkeypatch.setattr(serve_command, "start", lambda settings: started.append(settings) or 0)
    run(["serve", *arguments])
    assert started == [given] == [serve_command.parse(arguments)]


def test_variable_that_is_wrong_is_named() -> None:
    result = attempt(environ={"MOCKD_SHUTDOWN_TIMEOUT": "soon"})
    assert result.returncode == 2
    assert "MOCKD_SHUTDOWN_TIMEOUT" in result.stderr


def test_wrong_configuration_prints_every_problem_before_a_port_is_opened(write: Write) -> None:
    file = write("wrong.yaml", "- {id: b, matcher: {path: /b}, sse: {evnts: []}}\n- {id: c, matcher: {path: c}}\n")
    with socket.create_server(("127.0.0.1", 0)) as taken:
        result = attempt("--port", str(taken.getsockname()[1]), "--config", str(file))
    assert result.returncode == 2
    first, second = result.stderr.splitlines()
    assert first.startswith(f"{file}:1:")
    assert "events" in first
    assert second.startswith(f"{file}:2:")


def test_start_needs_neither_typer_nor_rich() -> None:
    result = subprocess.run(
        [sys.executable, "-X", "importtime", "-m", "mockd", "serve", "--workers", "2"],
        env=clean_environ(),
        capture_output=True,
        check=False,
        text=True,
        timeout=PATIENCE_S,
    )
    imported = {line.rpartition("|")[2].strip() for line in result.stderr.splitlines()}
    assert "mockd.server.run" in imported
    assert not imported & {"typer", "rich", "httpx2"}


def test_garbage_is_collected_once_the_server_is_ready() -> None:
    code = (
        "import gc; gc.disable()\n"
        "from mockd.server.run import _calm_garbage_collector as get_ready\n"
        "get_ready(); print(gc.isenabled())"
    )
    result = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=True, timeout=PATIENCE_S
    )
    assert result.stdout == "True\n"


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT, signal.SIGHUP])
def test_signal_ends_streams_with_their_final_event(serve: Serve, write: Write, number: int) -> None:
    server = serve("--config", str(write("a.json", mock("a", "/a", lifecycle={"keepOpen": True, **FINAL}))))
    client = open_stream(server, "/a")
    assert server.stop(number) == 0
    assert rest(client).endswith(FINAL_FRAME + b"\r\n0\r\n\r\n")


def test_under_nohup_the_end_of_the_terminal_is_none_of_the_server(serve: Serve) -> None:
    before = signal.signal(signal.SIGHUP, signal.SIG_IGN)  # as nohup does for its child
    try:
        server = serve()
    finally:
        signal.signal(signal.SIGHUP, before)
    server.process.send_signal(signal.SIGHUP)
    assert httpx2.get(server.admin + "/mocks").status_code == 200
    assert server.stop() == 0


def test_signal_ends_five_hundred_streams(serve: Serve, write: Write) -> None:
    server = serve("--config", str(write("a.json", mock("a", "/a", lifecycle={"keepOpen": True, **FINAL}))))
    clients = [open_stream(server, "/a") for _ in range(500)]
    assert server.stop() == 0
    assert all(rest(client).endswith(FINAL_FRAME + b"\r\n0\r\n\r\n") for client in clients)
    assert not [line for line in server.lines if line["level"] == "error"]


def test_clients_that_do_not_read_or_do_not_finish_do_not_hold_up_the_exit(serve: Serve, write: Write) -> None:
    endless = mock("a", "/a", events=[{"data": "x" * 1000}], repeat=0)
    server = serve("--config", str(write("a.json", endless)), "--shutdown-timeout", "0.3")
    host, _, port = server.mocks.rpartition("/")[2].partition(":")
    half = socket.create_connection((host, int(port)))
    half.sendall(b"POST /a HTTP/1.1\r\nHost: x\r\nContent-Length: 10\r\n\r\nhal")
    stuck = open_stream(server, "/a")
    with half, stuck:
        assert server.stop() == 0
    assert not [line for line in server.lines if "exception" in line]


def test_plain_response_that_is_not_due_yet_does_not_hold_up_the_exit(serve: Serve, write: Write) -> None:
    late = {"id": "b", "matcher": {"path": "/b"}, "response": {"body": "late", "delay": 3_600_000}}
    server = serve("--config", str(write("b.json", late)), "--shutdown-timeout", "0.3")
    host, _, port = server.mocks.rpartition("/")[2].partition(":")
    with socket.create_connection((host, int(port))) as waiting:
        waiting.sendall(b"GET /b HTTP/1.1\r\nHost: x\r\n\r\n")
        while not httpx2.get(server.admin + "/sse/stats").json()["activeConnections"]:
            pass
        assert server.stop() == 0


def test_second_interrupt_exits_at_once(serve: Serve, write: Write) -> None:
    lifecycle = {"keepOpen": True, "termination": {**FINAL["termination"], "closeDelay": 3_600_000}}
    file = write("a.json", mock("a", "/a", lifecycle=lifecycle))
    server = serve("--config", str(file), "--shutdown-timeout", "3600")
    with open_stream(server, "/a") as client:
        server.process.send_signal(signal.SIGINT)
        received = b""
        while FINAL_FRAME not in received:
            received += client.recv(65536)
        assert server.stop(signal.SIGINT) == 130


def test_abrupt_end_that_was_meant_is_no_error_in_the_log(serve: Serve, write: Write) -> None:
    abrupt = mock("a", "/a", timing={"fixedDelay": 0}, lifecycle={"termination": {"type": "abrupt"}})
    server = serve("--config", str(write("a.json", abrupt)))
    assert not rest(open_stream(server, "/a")).endswith(b"0\r\n\r\n")
    server.stop()
    assert [line["message"] for line in server.lines[1:]] == ["GET /a 200"]


def test_key_is_made_up_and_printed_where_others_reach_the_admin_api(serve: Serve) -> None:
    server = serve("--admin-host", "0.0.0.0")
    assert server.key
    assert server.key.startswith("mk_")
    assert len(server.key) == 3 + 64
    assert httpx2.get(server.admin + "/mocks").status_code == 401
    assert httpx2.get(server.admin + "/mocks", headers={"X-API-Key": server.key}).status_code == 200
    assert serve("--admin-host", "0.0.0.0", "--api-key", "mine").key is None
    assert serve("--host", "0.0.0.0").key is None
    assert serve("--host", "0.0.0.0", "--admin-port", "0").key


def test_tls_on_the_mock_port(serve: Serve, write: Write) -> None:
    file = write("a.json", mock("a", "/a", timing={"fixedDelay": 0}))
    tls = ("--tls-cert", str(DATA / "cert.pem"), "--tls-key", str(DATA / "key.pem"))
    server = serve("--config", str(file), *tls)
    assert server.mocks.startswith("https://")
    trusted = ssl.create_default_context(cafile=str(DATA / "cert.pem"))
    assert httpx2.get(server.mocks + "/a", verify=trusted).text == "data: Hello\n\n"
    assert httpx2.get(server.admin + "/status").status_code == 200


def test_an_admin_port_that_others_can_reach_speaks_tls_too(serve: Serve) -> None:
    server = serve("--admin-host", "0.0.0.0", "--tls-cert", str(DATA / "cert.pem"), "--tls-key", str(DATA / "key.pem"))
    trusted = ssl.create_default_context(cafile=str(DATA / "cert.pem"))
    assert server.admin.startswith("https://127.0.0.1:")
    assert server.key
    answer = httpx2.get(server.admin + "/mocks", verify=trusted, headers={"X-API-Key": server.key})
    assert answer.status_code == 200
    with pytest.raises(httpx2.TransportError):
        httpx2.get(server.admin.replace("https", "http") + "/mocks")


def test_a_certificate_and_its_key_may_be_one_file(serve: Serve, write: Write) -> None:
    both = write("both.pem", (DATA / "cert.pem").read_text() + (DATA / "key.pem").read_text())
    server = serve("--tls-cert", str(both))
    assert server.mocks.startswith("https://")


@pytest.mark.parametrize("more", [(), ("--preset", "llm")])
def test_watching_nothing_is_said(serve: Serve, more: tuple[str, ...]) -> None:
    server = serve("--watch", *more)
    server.wait_for_message("--watch (MOCKD_WATCH): there is no file to watch; name one with --config (MOCKD_CONFIG)")


@pytest.mark.parametrize("is_a_folder", [True, False])
def test_files_and_folders_need_no_option(serve: Serve, write: Write, tmp_path: Path, is_a_folder: bool) -> None:
    (tmp_path / "folder").mkdir()
    write("folder/a.json", mock("a", "/a"))
    named = [str(write("b.json", mock("b", "/b"))), str(write("c.yaml", mock("c", "/c")))]
    folder = str(tmp_path / "folder" / ("" if is_a_folder else "a.json"))
    server = serve(folder, "--port", "0", named[0], "--config", named[1])
    assert total(server) == 3


def total(server: Served) -> int:
    count: int = httpx2.get(server.admin + "/mocks").json()["total"]
    return count


def test_watch_applies_a_saved_file(serve: Serve, write: Write) -> None:
    file = write("a.json", mock("a", "/a"))
    server = serve("--config", str(file), "--watch")
    write("a.json", [mock("a", "/a"), mock("b", "/b")])
    server.wait_for_message("applied: 2 mocks")
    assert total(server) == 2


def test_warnings_are_logged_at_the_start_and_at_each_reload(serve: Serve, write: Write) -> None:
    file = write("a.json", mock("a", "/a?x=1"))
    server = serve("--config", str(file), "--watch")
    line = server.wait_for(lambda line: line.get("level") == "warning")
    assert line["message"].startswith(f"{file}:1:")
    write("a.json", [mock("a", "/a"), mock("b", "/b/:id")])
    server.wait_for_message("`{id}`")


def test_watch_says_all_problems_of_a_file(serve: Serve, write: Write) -> None:
    """The quota for what clients cause to be logged is not for them."""
    file = write("a.json", mock("a", "/a"))
    server = serve("--config", str(file), "--watch")
    write("a.json", {"mocks": [mock(f"m{number}", "no path") for number in range(2 * MOST_RECORDS)]})
    server.wait_for_message("the configuration was not applied")
    assert len([line for line in server.lines if "does not start with `/`" in line["message"]]) == 2 * MOST_RECORDS


def test_watch_keeps_the_old_set_if_a_file_is_wrong_and_says_which(serve: Serve, write: Write) -> None:
    file = write("a.json", mock("a", "/a"))
    server = serve("--config", str(file), "--watch")
    write("a.json", [mock("a", "/a", evnts=[]), mock("b", "/b", retry=-1)])
    server.wait_for_message("the mocks stay as they were")
    problems = [text for text in texts(server) if text.startswith(f"{file}:1:")]
    assert len(problems) == 2
    assert total(server) == 1
    write("a.json", [mock("a", "/a"), mock("b", "/b"), mock("c", "/c")])
    server.wait_for_message("applied: 3 mocks")
    assert total(server) == 3


def test_watch_sees_files_that_come_and_go(serve: Serve, write: Write, tmp_path: Path) -> None:
    folder = tmp_path / "folder"
    folder.mkdir()
    write("folder/a.json", mock("a", "/a"))
    server = serve("--config", str(folder), "--watch")
    write("folder/b.json", mock("b", "/b"))
    server.wait_for_message("applied: 2 mocks")
    (folder / "a.json").unlink()
    server.wait_for_message("applied: 1 mock")
    assert [mock["id"] for mock in httpx2.get(server.admin + "/mocks").json()["mocks"]] == ["b"]


def test_watch_sees_data_files(serve: Serve, write: Write) -> None:
    write("events.ndjson", '{"data": "old"}\n')
    config: dict[str, Any] = {"id": "a", "matcher": {"path": "/a"}, "sse": {"eventsFile": "events.ndjson"}}
    server = serve("--config", str(write("a.json", config)), "--watch")
    assert httpx2.get(server.mocks + "/a").text == "data: old\n\n"
    write("events.ndjson", '{"data": "new"}\n')
    server.wait_for_message("applied")
    assert httpx2.get(server.mocks + "/a").text == "data: new\n\n"


def test_state_survives_kill_9_and_wins_over_files(
    serve: Serve, local_cli: Cli, write: Write, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    config = str(write("a.json", [mock("a", "/a"), mock("b", "/b")]))
    state = str(tmp_path / "state.json")
    server = serve("--config", config, "--state", state)
    monkeypatch.setenv("MOCKD_ADMIN_URL", server.admin)
    assert local_cli("update", "a", "--name", "Changed").code == 0
    assert local_cli("delete", "b").code == 0
    assert local_cli("add", "--id", "c", "--path", "/c", "--body", "c").code == 0
    server.stop(signal.SIGKILL)
    again = serve("--config", config, "--state", state)
    monkeypatch.setenv("MOCKD_ADMIN_URL", again.admin)
    mocks = local_cli("list", "--json").json["mocks"]
    assert [(mock["id"], mock.get("name")) for mock in mocks] == [("a", "Changed"), ("c", None)]


def test_broken_state_is_told_and_left_alone(write: Write) -> None:
    state = write("state.json", "{")
    result = attempt("--port", "0", "--admin-port", "0", "--state", str(state))
    assert result.returncode == 2
    assert str(state) in result.stderr
    assert state.read_text() == "{"


@pytest.mark.parametrize("options", [["--config"], ["--watch", "--config"], ["--state"]], ids=" ".join)
def test_links_in_a_loop_are_told_of(tmp_path: Path, options: list[str]) -> None:
    loop = tmp_path / "loop.json"
    loop.symlink_to(loop)
    result = attempt("--port", "0", "--admin-port", "0", *options, str(loop))
    assert result.returncode == 2
    assert str(loop) in result.stderr
    assert "Traceback" not in result.stderr
