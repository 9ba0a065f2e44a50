"""What the tests of the command line share holds although many of them run beside each other."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.cli.harness import free_port

GIVEN_AWAY = Path("/proc/sys/net/ipv4/ip_local_port_range")


@pytest.mark.skipif(not GIVEN_AWAY.exists(), reason="only Linux says which ports it gives away")
def test_a_free_port_is_given_to_nobody_else() -> None:
    first, last = map(int, GIVEN_AWAY.read_text(encoding="utf-8").split())
    if first < 32_768:
        pytest.skip("this system gives away lower ports than Linux does by default")
    ports = [free_port() for _ in range(100)]
    assert not [port for port in ports if first <= port <= last]
    assert len(set(ports)) > 90
