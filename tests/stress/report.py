"""What was done, and what went wrong."""

from __future__ import annotations

import threading
import time
import traceback
from dataclasses import dataclass, field


@dataclass
class Row:
    done: int = 0
    failed: int = 0
    seconds: float = 0.0


@dataclass
class Report:
    """Counts of what was done, and the first failure of each kind."""

    rows: dict[str, Row] = field(default_factory=dict)
    failures: dict[str, str] = field(default_factory=dict)
    began: float = field(default_factory=time.monotonic)
    _lock: threading.Lock = field(default_factory=threading.Lock)

    def note(self, name: str, seconds: float, failure: str | None = None) -> None:
        with self._lock:
            row = self.rows.setdefault(name, Row())
            row.done += 1
            row.seconds += seconds
            if failure is not None:
                row.failed += 1
                self.failures.setdefault(name, failure)
                if row.failed == 1:
                    print(f"FAILED: {name}: {failure.splitlines()[-1]}", flush=True)

    def print(self) -> int:
        """Print the summary. Returns the exit code: 0, or 1 if anything failed."""
        width = max(map(len, self.rows), default=0)
        for name, row in self.rows.items():
            print(f"{name:{width}}  {row.done:7,}  {row.seconds / row.done * 1000:8.1f} ms  {row.failed or ''}")
        for name, failure in self.failures.items():
            print(f"\n{name}\n{failure}")
        what = f"{len(self.failures)} FAILED" if self.failures else "all held"
        print(f"{what} in {time.monotonic() - self.began:.0f} s")
        return 1 if self.failures else 0


def failure_of(error: BaseException) -> str:
    """An error with the place at which it arose, cut to what a person reads."""
    text = "".join(traceback.format_exception(error))
    return text if len(text) < 4000 else f"{text[:2000]}\n…\n{text[-2000:]}"
