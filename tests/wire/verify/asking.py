"""Those who verify what came, at once or by waiting."""

from __future__ import annotations

import threading
from typing import Any

from mockd.testing import RunningMockd
from tests.wire.sockets import eventually


def verified(server: RunningMockd, *given: Any, **more: Any) -> Any:
    with server.admin() as admin:
        return admin.verify(*given, **more)


def ok(server: RunningMockd, *given: Any, **more: Any) -> bool | None:
    found: bool | None = verified(server, *given, **more)["ok"]
    return found


class Waiting:
    """A client that waits for an answer in a thread."""

    def __init__(self, server: RunningMockd, *given: Any, **more: Any) -> None:
        self._server = server
        self.answer: Any = None
        self._thread = threading.Thread(target=self._wait, args=given, kwargs=more, daemon=True)

    def _wait(self, *given: Any, **more: Any) -> None:
        self.answer = verified(self._server, *given, **more)

    def __enter__(self) -> Waiting:
        journal = self._server.engine.journal
        assert journal is not None
        before = len(journal.waits)
        self._thread.start()
        eventually(lambda: len(journal.waits) > before)
        return self

    def __exit__(self, failure: object, *args: object) -> None:
        if failure is None:
            self.join()

    def join(self) -> Any:
        self._thread.join(20)
        assert not self._thread.is_alive()
        return self.answer


def waits(server: RunningMockd) -> int:
    assert server.engine.journal is not None
    return len(server.engine.journal.waits)
