"""The marker `mockd_torture`: a test runs once for each form of a stream."""

from __future__ import annotations

import json
from pathlib import Path

from mockd.torture.marks import MARKS, Mark
from mockd.torture.source import Source
from mockd.torture.variants import variants_of
from tests.plugin.conftest import Suite

EVENTS = [{"data": "Grüße"}, {"type": "note", "data": "two\nlines"}]
MOCK = {"matcher": {"path": "/chat"}, "sse": {"events": EVENTS}}
VARIANTS = variants_of(Source(MOCK, Path()), "sse", has_ids=False)
ALL = [one.name for one in VARIANTS]
NEUTRAL = [one.name for one in VARIANTS if one.is_neutral]

READER = """
import json
import urllib.request

def read(url):
    with urllib.request.urlopen(url, timeout=30) as answer:
        return answer.read()
"""


def write(folder: Path, sse: dict[str, object]) -> None:
    (folder / "chat.json").write_text(json.dumps({"matcher": {"path": "/chat"}, "sse": sse}), encoding="utf-8")


def test_each_neutral_variant_is_a_test(suite: Suite, tmp_path: Path) -> None:
    write(tmp_path, {"events": EVENTS})
    ran = suite(f"""
        {READER.replace(chr(10), chr(10) + " " * 8)}

        SEEN = []

        @pytest.mark.mockd_torture("chat.json")
        def test_reader(torture):
            assert torture.url.endswith("/chat")
            assert torture.neutral
            assert "Gr".encode() in read(torture.url)
            SEEN.append(torture.variant)

        def test_all_were_there():
            assert SEEN == {["clean", *NEUTRAL]!r}
    """)
    assert ran.summary() == {"passed": len(NEUTRAL) + 2}, ran.text


def test_all_variants_are_tests_if_it_is_said(suite: Suite, tmp_path: Path) -> None:
    write(tmp_path, {"events": EVENTS})
    ran = suite(
        """
        @pytest.mark.mockd_torture("chat.json", neutral_only=False)
        def test_reader(torture):
            print("neutral" if torture.neutral else "other", torture.variant)
        """,
        "-rP",
    )
    assert ran.summary() == {"passed": len(ALL) + 1}, ran.text
    assert "other finalBlankLine" in ran.text
    assert "other encoding-gzip" in ran.text


def test_encodings_that_the_client_accepts_are_neutral(suite: Suite, tmp_path: Path) -> None:
    write(tmp_path, {"events": EVENTS})
    ran = suite("""
        @pytest.mark.mockd_torture("chat.json", accepts=["gzip"])
        def test_reader(torture):
            pass
    """)
    assert ran.summary() == {"passed": len(NEUTRAL) + 1 + 2}, ran.text  # gzip, and gzip that is flushed late


def test_data_files_are_found(suite: Suite, tmp_path: Path) -> None:
    (tmp_path / "data.txt").write_text("recorded", encoding="utf-8")
    mock = {"matcher": {"path": "/data"}, "chunked": {"dataFile": "data.txt"}}
    (tmp_path / "data.json").write_text(json.dumps(mock), encoding="utf-8")
    ran = suite("""
        @pytest.mark.mockd_torture("data.json")
        def test_reader(torture):
            assert get(torture.url) == (200, "recorded")
    """)
    assert ran.code == 0, ran.text


def test_marks_in_the_data(suite: Suite, tmp_path: Path) -> None:
    write(tmp_path, {"events": [{"data": "a mockd-mark"}, {"data": "b"}]})
    ran = suite(f"""
        {READER.replace(chr(10), chr(10) + " " * 8)}

        MARKS = set()

        @pytest.mark.mockd_torture("chat.json")
        def test_reader(torture):
            MARKS.add(torture.mark)
            assert torture.mark.encode() in read(torture.url)
            assert torture.variant.startswith("data-") or torture.mark == "mockd-mark"

        def test_all_were_there():
            assert MARKS == {{{", ".join(repr(one.text) for one in (Mark(), *MARKS.values()))}}}
    """)
    assert ran.summary() == {"passed": len(NEUTRAL) + len(MARKS) + 2}, ran.text


def test_mistakes_are_told(suite: Suite) -> None:
    ran = suite("""
        def test_without_the_marker(torture):
            pass
    """)
    assert "goes with @pytest.mark.mockd_torture" in ran.text
    ran = suite("""
        @pytest.mark.mockd_torture("missing.json")
        def test_reader(torture):
            pass
    """)
    assert "mockd_torture: missing.json: there is no such file" in ran.text
    assert "Traceback" not in ran.text
