"""Pauses between pieces: long enough for a client on a busy machine, and short in all."""

from __future__ import annotations

from typing import Any

import pytest

from mockd.torture.pauses import with_pauses
from mockd.torture.variants import Variant


def pause(split: Any, *, least: float = 2, most_ms: float = 20, in_all_ms: float = 2000, **answer: Any) -> Any:
    framing = {"split": split, "pause": least} if least else {"split": split}
    mock = {"chunked" if "data" in answer else "sse": answer}
    return with_pauses(Variant("a", True, framing), mock, most_ms=most_ms, in_all_ms=in_all_ms).framing.get("pause")


def events(count: int, data: object = "é") -> list[dict[str, object]]:
    return [{"data": data}] * count


@pytest.mark.parametrize(
    ("split", "answer", "wanted"),
    [
        ("utf8", {"events": events(3)}, 20),
        ("utf8", {"events": events(400)}, 5),
        ("utf8", {"events": events(40), "repeat": 10}, 5),
        ("utf8", {"events": events(400, "e")}, 20),
        ("utf8", {"events": events(400, {"a": "é"})}, 5),
        ("utf8", {"data": "é" * 400}, 5),
        ("utf8", {"events": events(5000)}, 2),
        ("lines", {"events": events(100)}, 5),
        ("lines", {"data": "a\n" * 100}, 5),
        ("crlf", {"events": events(100)}, 5),
        ({"bytes": 1}, {"data": "a" * 5000}, 2),
        ("characters", {"events": events(2)}, 20),
    ],
    ids=lambda value: str(value)[:30],
)
def test_a_pause_is_as_long_as_there_is_time(split: Any, answer: dict[str, Any], wanted: float) -> None:
    assert pause(split, **answer) == wanted


def test_what_has_no_pause_gets_one_and_what_has_no_pieces_none() -> None:
    assert pause("utf8", least=0, events=events(1)) == 20
    bom = Variant("bom", True, {"bom": True})
    assert with_pauses(bom, {"sse": {"events": events(1)}}, most_ms=20, in_all_ms=2000) == bom
