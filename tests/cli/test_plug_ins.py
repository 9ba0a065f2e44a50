"""What a person is told of a plug-in that fails, and where plug-ins are looked for."""

from __future__ import annotations

import json
import re
import subprocess
import sys
import urllib.error
import urllib.request
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from tests.cli.harness import PATIENCE_S, Serve, clean_environ

Write = Callable[[str, object], Path]

FAILING = """
import json
import msgspec
from mockd import BaseSource, Event, Script, SourceKind


class Params(msgspec.Struct):
    pass


def lookup():
    return {}["zz"]


def opens_by(open_, **parts):
    class Failing(BaseSource):
        open = open_

    def build(params):
        source = Failing()
        for name, value in parts.items():
            setattr(source, name, value)
        return source

    return SourceKind("failing", Params, build, "Fails.")


def raises(self, context):
    lookup()


def yields(self, context):
    yield Event("first")
    lookup()


async def awaits(self, context):
    lookup()


async def yields_later(self, context):
    yield Event("first")
    lookup()


def yields_text(self, context):
    yield "text"


def draws(self, context):
    yield Event("first", delay_s=lambda rng: lookup())


def in_json(self, context):
    json.loads("{")  # raised in another package


def nothing(self, context):
    return None


def good(self, context):
    yield Event("here")


RAISES, YIELDS, AWAITS, YIELDS_LATER = opens_by(raises), opens_by(yields), opens_by(awaits), opens_by(yields_later)
IN_JSON = opens_by(in_json)
YIELDS_TEXT, NOTHING, DRAWS, GOOD = opens_by(yields_text), opens_by(nothing), opens_by(draws), opens_by(good)
SCRIPTED = opens_by(good, script=Script(lookup))
BUILDS = SourceKind("failing", Params, lambda params: lookup(), "Fails.")
TAKES_NOTHING = SourceKind("failing", Params, lambda: None, "Fails.")


class WithoutOpen(BaseSource):
    def __init__(self, params):
        pass


class WithoutBase:
    def __init__(self, params):
        pass

    def open(self, context):
        yield Event("here")


class NotAMethod(WithoutOpen):
    open = None


WITHOUT_OPEN = SourceKind("failing", Params, WithoutOpen, "Fails.")
WITHOUT_BASE = SourceKind("failing", Params, WithoutBase, "Fails.")
NOT_A_METHOD = SourceKind("failing", Params, NotAMethod, "Fails.")
NOTHING_BUILT = SourceKind("failing", Params, lambda params: None, "Fails.")
"""
LINE_OF_FAULT = FAILING.split("\n").index('    return {}["zz"]') + 1


def mock(kind: str, module: str = "failing") -> dict[str, Any]:
    return {"id": "m", "matcher": {"path": "/m"}, "sse": {"template": f"{module}:{kind}"}}


def get(url: str) -> tuple[int, str]:
    try:
        with urllib.request.urlopen(url, timeout=PATIENCE_S) as answer:
            return answer.status, answer.read().decode()
    except urllib.error.HTTPError as error:
        return error.code, error.read().decode()


def validate(*files: Path | str, folder: Path | None = None, **environ: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "mockd", "validate", *map(str, files)],
        capture_output=True,
        check=False,
        text=True,
        timeout=60,
        cwd=folder,
        env={**clean_environ(), **environ},
    )


# -- a plug-in that fails while it serves ------------------------------------------------------------------------------


@pytest.mark.parametrize("level", ["error", "info", "debug"])
@pytest.mark.parametrize("kind", ["RAISES", "YIELDS", "AWAITS", "YIELDS_LATER", "DRAWS"])
def test_the_log_says_which_plug_in_failed_and_where(serve: Serve, write: Write, kind: str, level: str) -> None:
    file = write("failing.py", FAILING)
    server = serve("--config", str(write("mocks.json", mock(kind))), "--log-level", level)
    status, body = get(server.mocks + "/m")
    line = server.wait_for(lambda line: line.get("level") == "error")
    assert line["message"] == f"m: plug-in `failing` failed: KeyError: 'zz' ({file}:{LINE_OF_FAULT})"
    assert ("exception" in line) is (level == "debug")
    if level == "debug":
        assert 'return {}["zz"]' in line["exception"]
    # Clients learn of the error, but not of files.
    assert "KeyError" in body
    assert str(file.parent) not in body
    assert status == (500 if kind in ("RAISES", "AWAITS") else 200)
    server.stop()
    assert len([line for line in server.lines if line.get("level") == "error"]) == 1


def test_the_place_is_in_the_plug_in_and_not_in_what_it_calls(serve: Serve, write: Write) -> None:
    file = write("failing.py", FAILING)
    server = serve("--config", str(write("mocks.json", mock("IN_JSON"))))
    get(server.mocks + "/m")
    line = server.wait_for(lambda line: line.get("level") == "error")
    number = FAILING.split("\n").index('    json.loads("{")  # raised in another package') + 1
    assert line["message"].startswith("m: plug-in `failing` failed: JSONDecodeError: ")
    assert line["message"].endswith(f"({file}:{number})")


@pytest.mark.parametrize(
    ("kind", "said"),
    [
        ("YIELDS_TEXT", "`Failing` yielded `str`, not `Event`"),
        ("NOTHING", "`open` of `Failing` returned `NoneType`, not an iterator of events, a `Script` or an `Answer`"),
    ],
)
def test_what_a_plug_in_must_not_give_is_told(serve: Serve, write: Write, kind: str, said: str) -> None:
    write("failing.py", FAILING)
    server = serve("--config", str(write("mocks.json", mock(kind))))
    assert said in json.loads('"' + re.sub(r'[\\"]', r"\\\g<0>", get(server.mocks + "/m")[1].replace("\n", " ")) + '"')
    line = server.wait_for(lambda line: line.get("level") == "error")
    assert line["message"] == f"m: its source failed: SourceError: {said}"
    assert "exception" not in line


# -- a plug-in that is refused -----------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("kind", "said"),
    [
        ("WITHOUT_OPEN", r"`WithoutOpen` has no `open` \(derive it from `mockd.BaseSource`, and write its `open"),
        ("WITHOUT_BASE", r"`WithoutBase` has no `default_delay_s`, .*`answer` \(derive it from `mockd.BaseSource`"),
        ("NOT_A_METHOD", r"`NotAMethod` has no method `open` \(derive"),
        ("NOTHING_BUILT", r"`NoneType` has no `open`, .* \(derive"),
        ("WithoutOpen", r"`failing:WithoutOpen` is not a SourceKind \(name the module's `KIND = SourceKind"),
        ("MISSING", r"cannot import `failing:MISSING`: .*'MISSING' \(it is .*failing.py\)"),
        ("BUILDS", rf"KeyError: 'zz' \(.*failing.py:{LINE_OF_FAULT}\)"),
        ("SCRIPTED", rf"KeyError: 'zz' \(.*failing.py:{LINE_OF_FAULT}\)"),
        ("TAKES_NOTHING", r"TypeError: <lambda>\(\) takes 0 positional arguments"),
    ],
)
def test_a_plug_in_that_cannot_work_is_refused_at_load(write: Write, kind: str, said: str) -> None:
    write("failing.py", FAILING)
    result = validate(write("mocks.json", mock(kind)))
    assert result.returncode == 2, result.stderr
    [line] = result.stderr.splitlines()
    assert re.search(r"mocks.json:1:\d+: \$.sse.template: " + ".*" + said, line)


@pytest.mark.parametrize(
    ("content", "said"),
    [
        ("x = {}['zz']", r"KeyError: 'zz' \(.*failing.py:1\)$"),
        ("import nowhere", r"ModuleNotFoundError: No module named 'nowhere' \(.*failing.py:1\)$"),
        ("x = (", r"SyntaxError: .*\(failing.py, line 1\)"),
    ],
)
def test_a_plug_in_that_cannot_be_imported_says_where_it_fails(write: Write, content: str, said: str) -> None:
    write("failing.py", content)
    result = validate(write("mocks.json", mock("KIND")))
    assert result.returncode == 2
    assert re.search(r"cannot import `failing:KIND`: " + said, result.stderr.strip()), result.stderr


def test_a_plug_in_that_is_nowhere_says_where_it_would_be_found(write: Write) -> None:
    result = validate(write("mocks.json", mock("KIND", "no_such_module")))
    assert "(a plug-in is on the Python path, or beside the configuration file)" in result.stderr


# -- where plug-ins are looked for -------------------------------------------------------------------------------------


@pytest.mark.parametrize("where", ["module", "package"])
def test_a_plug_in_beside_its_configuration_file_is_found(
    serve: Serve, write: Write, tmp_path: Path, where: str
) -> None:
    (tmp_path / "package").mkdir()
    write("module.py" if where == "module" else "package/__init__.py", FAILING)
    server = serve("--config", str(write("mocks.json", mock("GOOD", where))))
    assert get(server.mocks + "/m") == (200, "data: here\n\n")


def test_a_file_beside_a_configuration_hides_no_other_module(write: Write, tmp_path: Path) -> None:
    write("failing.py", FAILING)
    write("json.py", "raise SystemExit('hidden')")
    write("mockd.py", "raise SystemExit('hidden')")
    file = write("mocks.json", [mock("GOOD"), {**mock("GOOD"), "id": "n", "matcher": {"path": "/n"}}])
    result = validate(file, folder=tmp_path.parent)
    assert (result.returncode, result.stderr) == (0, "")


def test_the_python_path_comes_first(write: Write, tmp_path: Path) -> None:
    (tmp_path / "installed").mkdir()
    write("installed/failing.py", FAILING)
    write("failing.py", "raise SystemExit('the wrong one')")
    path = f"{tmp_path / 'installed'}:{Path(__file__).parents[2]}"
    assert validate(write("mocks.json", mock("GOOD")), folder=tmp_path.parent, PYTHONPATH=path).returncode == 0


def test_plug_ins_of_one_name_beside_two_configuration_files_are_refused(write: Write, tmp_path: Path) -> None:
    for folder in ("a", "b"):
        (tmp_path / folder).mkdir()
        write(f"{folder}/failing.py", FAILING)
        write(f"{folder}/mocks.json", {**mock("GOOD"), "id": folder})
    result = validate(tmp_path / "a", tmp_path / "b")
    assert result.returncode == 2
    [line] = result.stderr.splitlines()
    assert "b/mocks.json:1:" in line
    assert f"the module `failing` is already imported from {tmp_path}/a/failing.py" in line


def test_the_admin_api_imports_nothing_from_folders_of_files(serve: Serve, write: Write, tmp_path: Path) -> None:
    write("failing.py", FAILING)
    server = serve("--files-root", str(tmp_path))
    request = urllib.request.Request(server.admin + "/mocks", json.dumps(mock("GOOD")).encode(), method="POST")
    with pytest.raises(urllib.error.HTTPError) as caught:
        urllib.request.urlopen(request, timeout=PATIENCE_S)
    assert caught.value.code == 400
    assert b"No module named 'failing'" in caught.value.read()


def test_a_changed_mock_keeps_its_plug_in_after_a_restart(serve: Serve, write: Write, tmp_path: Path) -> None:
    write("failing.py", FAILING)
    options = ["--config", str(write("mocks.json", mock("GOOD"))), "--state", str(tmp_path / "state.db")]
    server = serve(*options)
    change = urllib.request.Request(server.admin + "/mocks/m", b'{"name": "new"}', method="PATCH")
    urllib.request.urlopen(change, timeout=PATIENCE_S).close()
    assert server.stop() == 0
    assert get(serve(*options).mocks + "/m") == (200, "data: here\n\n")
