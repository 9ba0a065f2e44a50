"""A recorded stream of each vendor breaks at every byte of a short one, and at some of a long one. All of them are done
by `scripts/break --recordings`."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from mockd.testing import RunningMockd
from tests.stress.sweep import FOLDER, STRIDE, SWEEPS, Sweep, serving
from tests.wire.conftest import speaking_tls

pytestmark = pytest.mark.skipif(not FOLDER, reason="MOCKD_RECORDINGS names no folder of recorded streams")

SHORT = 2_400
"""Most bytes of a stream that is broken at all of them."""
SOME = 100
"""Number of places in others, about."""
OTHERS = 5
"""The share of these at which a stream is not reset but ended."""


@pytest.fixture(scope="module", params=["plain", "TLS"])
def recorded(request: pytest.FixtureRequest) -> Iterator[RunningMockd]:
    with serving(request.param) as server:
        yield server if request.param == "plain" else speaking_tls(server)


@pytest.mark.parametrize("sweep", SWEEPS, ids=str)
def test_it_breaks_there(recorded: RunningMockd, sweep: Sweep) -> None:
    places = sweep.places(recorded)
    step = 1 if len(places) < SHORT else len(places) // SOME
    step *= 1 if sweep.action == "reset" else OTHERS
    step *= STRIDE if recorded.url.startswith("https") else 1
    assert sweep.run(recorded, places[::step]) == []
