"""Faults that a request says itself, in the header `X-Mockd-Fault`."""

from __future__ import annotations

import logging
from functools import cache

from mockd.config.fault_lines import parse_lines
from mockd.errors import ConfigError
from mockd.faults.chosen import Aimed
from mockd.request import RequestView

HEADER = "x-mockd-fault"

_log = logging.getLogger("mockd")


def of_header(request: RequestView, *, is_allowed: bool, most_bytes: int) -> tuple[Aimed, ...]:
    """The faults of a request's header, which strike this request alone; none may make up more than `most_bytes`. If
    the header is not allowed, there are none, and the log says so once. Raises `ConfigError` for a line that cannot be
    read."""
    texts = request.headers.get(HEADER)
    if texts is None:
        return ()
    if not is_allowed:
        _say_that_it_is_off()
        return ()
    # Together, so that bounds hold over all of them.
    faults = parse_lines("; ".join(filter(str.strip, texts)), most_bytes)
    if any(fault.requests or fault.every for fault in faults):
        raise ConfigError("a fault in a header is for its request alone", hint="leave out `for requests` and `every`")
    return tuple(Aimed(fault, place, is_counted=False) for place, fault in enumerate(faults))


@cache
def _say_that_it_is_off() -> None:
    _log.warning("a request has the header `X-Mockd-Fault`, which is ignored: start mockd with `--allow-fault-header`")
