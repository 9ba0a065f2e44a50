"""The pictures in the README are what their runs give now, the times aside."""

from __future__ import annotations

import re
from types import ModuleType

import pytest

from scripts.pictures import hold, stream
from tests.docs.blocks import ROOT
from tests.programs import program

TIMES = r"\d+\.\d\d ?s|\d{4}-\d\d-\d\dT[\d:]+Z"


def without_times(picture: str) -> str:
    return re.sub(TIMES, "", picture)


@pytest.mark.parametrize("picture", [stream, hold], ids=["stream", "hold"])
def test_a_picture_is_fresh(picture: ModuleType) -> None:
    if picture is stream:
        program("curl")
    drawn = picture.FILE.read_text(encoding="utf-8")
    assert without_times(drawn) == without_times(picture.drawn()), "run scripts/docs pictures"
    assert picture.FILE.relative_to(ROOT).as_posix() in (ROOT / "README.md").read_text(encoding="utf-8")
