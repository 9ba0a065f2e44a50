"""Writing `.stream.jsonl` files while what they are about is happening.

Each line is written at once, in one write, without a buffer and without a thread: what has happened is in the file,
however this process ends. A recording that cannot be written any more, as the disk is full, is given up and says so;
whoever is being recorded never notices.
"""

from __future__ import annotations

import contextlib
import errno
import logging
import os
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from urllib.parse import urlsplit

from mockd.clock import Clock, rfc3339
from mockd.recordings.lines import (
    Begun,
    End,
    Head,
    Headers,
    Info,
    Trailers,
    encode,
)
from mockd.recordings.names import name_of, next_number
from mockd.recordings.outgoing import Lines
from mockd.recordings.redaction import Redacted, Redaction

logger = logging.getLogger("mockd.recordings")

_MODE = 0o600
_FOLDER_MODE = 0o700
_NEW = os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_APPEND | getattr(os, "O_CLOEXEC", 0) | getattr(os, "O_BINARY", 0)

RawHeaders = Sequence[tuple[bytes, bytes]]


def unusable(folder: Path, error: OSError) -> str:
    """Why no recording can be written into a folder."""
    is_file = isinstance(error, FileExistsError | NotADirectoryError)
    return f"{folder}: {'there is a file where the folder should be' if is_file else error.strerror}"


class NewFiles:
    """The files that recordings are written into: numbered, never one that is there already. No two recorders of a
    folder give the same number."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self._number = 1
        self._changed_ns = -1  # when the folder was changed last, so far as this recorder knows

    def prepare(self) -> None:
        """Make the folder if it is not there. Raises `OSError` if nothing can be written into it."""
        self.folder.mkdir(mode=_FOLDER_MODE, parents=True, exist_ok=True)
        if not os.access(self.folder, os.W_OK | os.X_OK):
            raise PermissionError(errno.EACCES, os.strerror(errno.EACCES))

    def create(self, begun: Begun) -> tuple[Path, int]:
        """Create and open the next file, for an exchange that begins with this redacted line. Raises `OSError`."""
        self.prepare()  # it may have been deleted meanwhile
        with _alone_in(self.folder):
            before_ns = self.folder.stat().st_mtime_ns
            if before_ns != self._changed_ns:  # by somebody else
                self._number = max(self._number, next_number(os.listdir(self.folder)))
            while True:
                path = self.folder / name_of(self._number, begun.method, urlsplit(begun.url).path)
                self._number += 1
                try:
                    file = os.open(path, _NEW, _MODE)
                    break
                except FileExistsError:  # of somebody who does not wait
                    continue
            self._changed_ns = _later_than(before_ns, self.folder)
            return path, file


@contextlib.contextmanager
def _alone_in(folder: Path) -> Iterator[None]:
    """Keep other recorders from creating files in a folder, on systems that can."""
    try:
        import fcntl
    except ImportError:
        yield
        return
    handle = os.open(folder, os.O_RDONLY | os.O_CLOEXEC)
    try:
        with contextlib.suppress(OSError):  # of a file system without locks
            fcntl.flock(handle, fcntl.LOCK_EX)
        yield
    finally:
        os.close(handle)


def _later_than(before_ns: int, folder: Path) -> int:
    """The time of a folder's last change, which is made to be another than before: clocks of file systems may stand
    still for some milliseconds."""
    found = folder.stat()
    if found.st_mtime_ns != before_ns:
        return found.st_mtime_ns
    with contextlib.suppress(OSError):  # it is another user's
        os.utime(folder, ns=(found.st_atime_ns, before_ns + 1))
    return folder.stat().st_mtime_ns


def write_all(file: int, raw: bytes) -> None:
    """Write bytes to a file, all of them."""
    view = memoryview(raw)
    while view:
        view = view[os.write(file, view) :]


class Recorder:
    """Records exchanges, each into a new file of a folder.

    `most_bytes` is the most that is recorded of an exchange's bodies. `say` is called with each loss, once for each
    kind. `recorded` counts the files, `lost` those that are not whole.
    """

    def __init__(
        self,
        folder: Path,
        redaction: Redaction,
        clock: Clock,
        most_bytes: int | None = None,
        say: Callable[[str], None] = logger.warning,
    ) -> None:
        self.files = NewFiles(folder)
        self.redaction = redaction
        self.clock = clock
        self.most_bytes = most_bytes
        self.recorded = self.lost = 0
        self._say = say
        self._said: set[str] = set()

    def begin(self, method: str, url: str, headers: RawHeaders, http_version: str = "1.1", path: str = "") -> Recording:
        """Begin to record an exchange whose request has this head. `url` is the whole URL at the target, and `path` the
        path for which the client asked."""
        begun = Begun(
            method=method,
            url=url,
            path="" if path == urlsplit(url).path else path,
            headers=_as_text(headers),
            http_version=http_version,
            recorded_at=rfc3339(self.clock.wall(), "milliseconds"),
        )
        recording = Recording(self, self.redaction.exchange())
        recording._begin(begun)
        self.recorded += recording.path is not None
        return recording

    def _loses(self, recording: Recording, error: Exception) -> None:
        self.lost += 1
        reason = (error.strerror if isinstance(error, OSError) else None) or f"{type(error).__name__}: {error}"
        if reason not in self._said:
            self._said.add(reason)
            where = recording.path.name if recording.path is not None else str(self.files.folder)
            self._say(f"recordings are not whole from {where} on: {reason}")


class Recording:
    """An exchange that is being recorded. No method raises, so that whoever is recorded goes on.

    Things are recorded at the time of the call, or at `at`, in seconds of the monotonic clock, if it is given. `path`
    is the file, or None if it could not be created.
    """

    def __init__(self, recorder: Recorder, redacted: Redacted) -> None:
        self.path: Path | None = None
        self._recorder = recorder
        self._redacted = redacted
        self._start = recorder.clock.monotonic()
        self._file: int | None = None
        self._written = 0
        self._lines: Lines | None = None
        self._is_broken = False

    def input(self, data: bytes, at: float | None = None) -> None:
        """Note bytes of the request's body."""
        if data:
            self._note(lambda lines: lines.input(self._us(at), data))

    def input_end(self) -> None:
        """Note that the request is complete: nothing of it is held back any more."""
        self._note(lambda lines: lines.input_end())

    def info(self, status: int, reason: str, headers: RawHeaders, at: float | None = None) -> None:
        """Note an informational answer."""
        info = Info(status=status, reason=reason, headers=_as_text(headers))
        self._note(lambda lines: lines.info(self._us(at), info))

    def head(
        self, status: int, reason: str, headers: RawHeaders, http_version: str = "1.1", at: float | None = None
    ) -> None:
        """Note status and headers of the answer."""
        head = Head(status=status, reason=reason, headers=_as_text(headers), http_version=http_version)
        self._note(lambda lines: lines.head(self._us(at), head))

    def output(self, data: bytes, at: float | None = None) -> None:
        """Note a piece of the answer's body: the payload of a chunk, or what a read gave."""
        if data:
            self._note(lambda lines: lines.output(self._us(at), data))

    def trailers(self, headers: RawHeaders, at: float | None = None) -> None:
        """Note the headers behind the body."""
        self._note(lambda lines: lines.trailers(self._us(at), Trailers(headers=_as_text(headers))))

    def end(self, how: str, text: str | None = None, at: float | None = None) -> None:
        """Note how it ended, one of `ENDS`, and close the file. Later calls do nothing."""
        self._note(lambda lines: lines.end(self._us(at), End(how=how, text=text)))
        self._lines = None
        if self._file is not None:
            if not os.fstat(self._file).st_nlink:
                self._recorder._loses(self, FileNotFoundError(errno.ENOENT, "it was deleted"))
            os.close(self._file)
            self._file = None

    def _begin(self, begun: Begun) -> None:
        try:
            begun = self._redacted.begun(begun)
            self.path, self._file = self._recorder.files.create(begun)
            self._lines = Lines(self._put, begun, self._redacted, self._recorder.most_bytes)
        except Exception as error:
            self._recorder._loses(self, error)

    def _note(self, note: Callable[[Lines], None]) -> None:
        if self._lines is None:
            return
        try:
            note(self._lines)
        except Exception as error:
            self._give_up(error)

    def _put(self, raw: bytes) -> None:
        assert self._file is not None
        write_all(self._file, raw)
        self._written += len(raw)

    def _give_up(self, error: Exception) -> None:
        """Close the file where its last whole line ends, and say in it why, if there is room for that."""
        self._lines = None
        self._recorder._loses(self, error)
        if self._file is None:
            return
        try:
            os.ftruncate(self._file, self._written)
            text = f"recorded no further: {error.strerror if isinstance(error, OSError) else type(error).__name__}"
            self._put(encode(End(how="error", text=text, redacted=self._redacted.places)))
        except OSError:
            pass  # it has been said, and a file without its end is read as one that was cut off
        os.close(self._file)
        self._file = None

    def _us(self, at: float | None) -> int:
        return round(((self._recorder.clock.monotonic() if at is None else at) - self._start) * 1_000_000)


def _as_text(headers: RawHeaders) -> Headers:
    return [(name.decode("latin-1"), value.decode("latin-1")) for name, value in headers]
