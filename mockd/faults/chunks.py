"""Strikes on HTTP's own framing: chunks that are wrong, and bytes behind the end."""

from __future__ import annotations

from typing import Any

from mockd.faults.site import Site
from mockd.faults.strikes import UNREAD, Struck, Trapped
from mockd.journal.exchange import Outcome
from mockd.lines import Line
from mockd.streaming.ops import Stage, shut

_OUTCOME: Outcome = "aborted"
_PRINTED = bytes([0x21 + byte % 94 for byte in range(256)])
"""The table that makes text of any bytes."""

bad = b"no size\r\n"
"""A chunk whose size line is illegal (RFC 9112, section 7.1)."""
short = b"20\r\nshort"
"""A chunk of 5 bytes whose size line says 32."""
long = b"4\r\ntoo long\r\n"
"""A chunk of 8 bytes whose size line says 4."""


class Chunk(Struck):
    """A wrong chunk, then the end of the connection."""

    ends_connection = True

    def __init__(self, site: Site, data: bytes) -> None:
        super().__init__(site)
        self._data = data

    async def __call__(self, stage: Stage, trap: Trapped) -> None:
        line = stage.line
        if not line.sends_raw or not line.is_chunked:
            why = "only the server makes chunks" if not line.sends_raw else "the body has no chunks"
            self.note(stage, trap, "unsupported", why)
            return
        self.note(stage, trap, *(() if await self.is_read(stage) else UNREAD))
        line.raw(self._data)
        await shut(stage)
        stage.outcome = _OUTCOME

    def breaks(self, line: Line) -> bool:
        return line.sends_raw and bool(line.is_chunked)


class Extra(Struck):
    """Bytes behind the end of the response, then the end of the connection."""

    ends_connection = True

    async def __call__(self, stage: Any, trap: Trapped) -> None:
        line, fault = stage.line, trap.armed.fault
        if not line.sends_raw:
            self.note(stage, trap, "unsupported", "only the server writes behind a response")
            return
        self.note(stage, trap, *(() if await self.is_read(stage) else UNREAD))
        end = line.image(b"", is_last=True)[0]
        line.raw(end + self.site.rng.randbytes(fault.bytes).translate(_PRINTED))
        await shut(stage)
        stage.outcome = trap.outcome

    def breaks(self, line: Line) -> bool:
        return line.sends_raw
