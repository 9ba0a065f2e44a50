"""HTTP/2 to a target: one stream on a connection of its own."""

from __future__ import annotations

import asyncio
import contextlib
import re
from collections.abc import AsyncIterator, Iterator

from h2.config import H2Configuration
from h2.connection import H2Connection
from h2.errors import ErrorCodes
from h2.events import (
    ConnectionTerminated,
    DataReceived,
    Event,
    InformationalResponseReceived,
    ResponseReceived,
    StreamEnded,
    StreamReset,
    TrailersReceived,
)
from h2.exceptions import ProtocolError
from h2.settings import SettingCodes, Settings

from mockd.relay.connections import Connection
from mockd.relay.heads import Headers
from mockd.relay.upstream import MOST_OF_HEAD, AnswerHead, NoHttpError, Upstream
from mockd.source import CutOffError

WINDOW = 256 * 1024
"""Most bytes of an answer's body that the target may send before the client has taken what was before them."""
MOST_EVENTS = 1024
"""Most things that have come from a target and are not passed on yet. Then nothing more is read."""

_STREAM = 1
"""The number of the stream: the first one of the client."""
_NOT_IN_2 = frozenset({b"connection", b"host", b"transfer-encoding"})
"""Names of headers of a request that HTTP/2 says otherwise (RFC 9113, section 8.2.2)."""
_GOAWAY = 7
_LONGEST_FRAME = 16 * 1024
"""Most bytes of a frame, as no other length is agreed upon."""
_WINDOWS_END = 2**31 - 1


class Http2(Upstream):
    """A connection on which HTTP/2 is spoken. A task reads all the time, as the target's windows must be known while
    the client is not reading; the window of the answer is opened as the client takes it."""

    def __init__(self, connection: Connection) -> None:
        super().__init__(connection)
        self._http = H2Connection(H2Configuration(header_encoding=None, normalize_inbound_headers=False))
        self._http.local_settings = Settings(
            client=True,
            initial_values={
                SettingCodes.ENABLE_PUSH: 0,
                SettingCodes.INITIAL_WINDOW_SIZE: WINDOW,
                SettingCodes.MAX_HEADER_LIST_SIZE: MOST_OF_HEAD,
            },
        )
        self._http.decoder.max_header_list_size = MOST_OF_HEAD
        self._http.initiate_connection()
        self._events: asyncio.Queue[Event | Exception] = asyncio.Queue(MOST_EVENTS)
        self._may_send = asyncio.Event()
        self._has_ended = self._has_sent_all = False
        self._reading = asyncio.create_task(self._read_all())

    # -- the request -----------------------------------------------------------------------------------------------

    def send_head(self, method: str, path: str, headers: Headers) -> None:
        authority = next((value for name, value in headers if name.lower() == b"host"), b"")
        fields = [
            (b":method", method.encode("latin-1")),
            (b":scheme", b"https"),
            (b":authority", authority),
            (b":path", path.encode("latin-1")),
        ]
        lower = [(name.lower(), value) for name, value in headers]
        self._has_sent_all = not any(name in (b"content-length", b"transfer-encoding") for name, _ in lower)
        fields += [header for header in lower if header[0] not in _NOT_IN_2]
        try:
            self._http.send_headers(_STREAM, fields, end_stream=self._has_sent_all)
            # The connection's window is no bound: it has one stream, whose window is one.
            self._http.increment_flow_control_window(_WINDOWS_END - self._http.inbound_flow_control_window)
        except ProtocolError as error:
            raise ValueError(str(error)) from None
        self._flush()

    async def send(self, part: bytes) -> None:
        rest = memoryview(part)
        while rest:
            size = min(len(rest), await self._room())
            with _local_errors():
                self._http.send_data(_STREAM, bytes(rest[:size]))
            rest = rest[size:]
            self._flush()
            await self._connection.drain()

    def send_end(self) -> None:
        if not self._has_sent_all:
            self._has_sent_all = True
            with _local_errors():
                self._http.end_stream(_STREAM)
            self._flush()

    async def _room(self) -> int:
        """The most bytes that the target takes now, as soon as it takes any."""
        while True:
            with _local_errors():
                room = min(self._http.local_flow_control_window(_STREAM), self._http.max_outbound_frame_size)
            if room > 0:
                return room
            if self._has_ended:
                raise OSError("the target has left")
            self._may_send.clear()
            await self._may_send.wait()

    def _flush(self) -> None:
        if data := self._http.data_to_send():
            self._connection.write(data)

    # -- the answer ------------------------------------------------------------------------------------------------

    async def _head(self) -> AnswerHead:
        event = await self._next()
        if not isinstance(event, InformationalResponseReceived | ResponseReceived):
            raise NoHttpError("its answer has no head")
        assert event.headers is not None
        fields = [(bytes(name), bytes(value)) for name, value in event.headers]
        status = dict(fields)[b":status"]
        if not re.fullmatch(b"[1-9][0-9]{2}", status):
            raise NoHttpError(f"a status of {status!r}")
        headers = [header for header in fields if not header[0].startswith(b":")]
        return AnswerHead(int(status), "", headers, "2")

    async def pieces(self, *, is_chunked: bool) -> AsyncIterator[bytes]:
        while not isinstance(event := await self._next(), StreamEnded):
            if isinstance(event, TrailersReceived):
                assert event.headers is not None
                self.trailers = [(bytes(name), bytes(value)) for name, value in event.headers]
            elif isinstance(event, DataReceived):
                assert event.data is not None
                assert event.flow_controlled_length is not None
                if event.data:
                    yield event.data
                if event.flow_controlled_length and not self._has_ended:
                    with contextlib.suppress(ProtocolError):  # the connection has ended meanwhile: what came is there
                        self._http.acknowledge_received_data(event.flow_controlled_length, _STREAM)
                    self._flush()

    async def _next(self) -> Event:
        """The next thing that comes of the answer. Raises `CutOffError`, `NoHttpError`."""
        event = await self._events.get()
        if isinstance(event, Exception):
            raise event
        return event

    # -- what comes ------------------------------------------------------------------------------------------------

    async def _read_all(self) -> None:
        """Read until the stream or the connection has ended."""
        try:
            buffer = b""
            while not self._has_ended:
                data = await self._read()
                if not data:
                    raise CutOffError("closed")
                *frames, buffer = _frames(buffer + data)
                for frame in frames:
                    await self._receive(frame)
                self._may_send.set()
                self._flush()
                await self._connection.drain()  # a target that wants answers must take them
        except ProtocolError as error:
            await self._end(NoHttpError(str(error) or type(error).__name__))
        except OSError:
            await self._end(CutOffError("reset"))
        except Exception as error:
            await self._end(error)

    async def _receive(self, frame: bytes) -> None:
        if _is_goodbye(frame):
            return
        for event in self._http.receive_data(frame):
            if isinstance(event, StreamReset):
                raise CutOffError("reset")
            if isinstance(event, ConnectionTerminated):
                raise CutOffError("closed")
            if isinstance(event, DataReceived) and not event.flow_controlled_length and event.stream_ended is None:
                continue  # an empty frame
            if isinstance(event, InformationalResponseReceived | ResponseReceived | DataReceived | TrailersReceived):
                await self._events.put(event)
            elif isinstance(event, StreamEnded):
                await self._end(event)

    async def _end(self, event: Event | Exception) -> None:
        self._has_ended = True
        self._may_send.set()
        await self._events.put(event)

    # -- the end ---------------------------------------------------------------------------------------------------

    def close(self, *, at_once: bool) -> None:
        self._reading.cancel()
        with contextlib.suppress(ProtocolError):  # it has ended already
            if at_once or not self._has_sent_all:
                self._http.reset_stream(_STREAM, ErrorCodes.CANCEL if at_once else ErrorCodes.NO_ERROR)
        with contextlib.suppress(ProtocolError):
            self._http.close_connection()
        with contextlib.suppress(OSError):
            self._flush()
        self._connection.close()


@contextlib.contextmanager
def _local_errors() -> Iterator[None]:
    """Make an `OSError` of what cannot be sent any more, as the target has ended the stream."""
    try:
        yield
    except ProtocolError as error:
        raise OSError(str(error)) from None


def _frames(data: bytes) -> list[bytes]:
    """The frames in what has come, and at the end what is left of it: the beginning of a frame, or nothing. Raises
    `NoHttpError` for one that is too long."""
    frames, at = [], 0
    while len(data) - at >= 9:
        size = int.from_bytes(data[at : at + 3], "big")
        if size > _LONGEST_FRAME:
            raise NoHttpError(f"a frame of {size:,} bytes")
        if len(data) < at + 9 + size:
            break
        frames.append(data[at : at + 9 + size])
        at += 9 + size
    return [*frames, data[at:]]


def _is_goodbye(frame: bytes) -> bool:
    """Whether a frame says that the connection takes no more streams, and the one that is there goes on. `h2` would
    take it for the end of that stream too."""
    if frame[3] != _GOAWAY or len(frame) < 17:
        return False
    last_stream, error = int.from_bytes(frame[9:13], "big") & _WINDOWS_END, int.from_bytes(frame[13:17], "big")
    return error == ErrorCodes.NO_ERROR and last_stream >= _STREAM
