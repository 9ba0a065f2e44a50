"""Regular expressions that mocks have, run on what clients send.

They are Python's, but not run by `re`: it can neither be stopped nor lets other threads run meanwhile. RE2 takes linear
time, for the patterns that it knows. All others, and all if RE2 is not installed, are run by the module `regex`, which
is stopped when its time is over. Both let other threads run. `dialects.py` writes a pattern for them.
"""

from __future__ import annotations

import contextlib
import re
from functools import lru_cache
from typing import TYPE_CHECKING, Any

from mockd.patterns.effort import Effort

if TYPE_CHECKING:
    from mockd.patterns.dialects import Written


LONGEST_PATTERN = 10_000
"""Most characters of a pattern."""

_MEMORY = 1024 * 1024
"""Memory, in bytes, that RE2 may use for a pattern. It fills it with what it learns from texts. More makes it no
faster."""

_LONG = 8 * 1024
"""Number of characters of a text above which what was compiled to search it is thrown away: `regex` keeps in it the
memory that the search took, up to a hundred bytes for each character."""


def check_pattern(source: str, field: str) -> None:
    """Raise `ValueError` if a text is no regular expression of Python's, or too long."""
    if len(source) > LONGEST_PATTERN:
        raise ValueError(f"{field}: a regular expression has at most {LONGEST_PATTERN:,} characters")
    try:
        re.compile(source)
    except (re.error, OverflowError, RecursionError) as error:
        raise ValueError(f"{field}: not a regular expression: {error}") from None


@lru_cache(1024)
def compiled(source: str) -> Pattern:
    """The pattern of a text that Python takes. Raises `ValueError` if no engine can run it."""
    return Pattern(source)


class _Linear:
    """A pattern as RE2 runs it. Raises `Unsupported` if it cannot."""

    def __init__(self, written: Written) -> None:
        from mockd.patterns.dialects import Unsupported

        try:
            import re2  # type: ignore[import-untyped]
        except ImportError:  # there are no wheels for PyPy and musl
            raise Unsupported("RE2 is not installed") from None
        options = re2.Options()
        options.log_errors = False
        options.max_mem = _MEMORY
        try:
            self._engine = re2.compile(written.source, options)
        except re2.error as error:
            raise Unsupported(str(error)) from None
        self._has_same_groups = written.has_same_groups
        self._size: int = self._engine.programsize

    def is_for(self, text: str, effort: Effort, *, has_groups: bool) -> bool:
        """Whether it finds what is asked for with this effort, as it cannot be stopped."""
        return len(text) * self._size <= effort.allowance.steps and (self._has_same_groups or not has_groups)

    def search(self, text: bytes) -> Any:
        return self._engine.search(text)


class Pattern:
    """A compiled regular expression."""

    __slots__ = ("_backtracking", "_in_ascii", "_in_others", "names", "source")

    def __init__(self, source: str) -> None:
        self.source = source
        self.names: dict[str, int] = dict(re.compile(source).groupindex)
        """The numbers of the named groups."""
        self._in_ascii, self._in_others = _linear(source)
        self._backtracking: Any = None
        if self._in_others is None:
            self._compile_backtracking()

    def is_in(self, text: str, effort: Effort) -> bool:
        """Whether the pattern matches anywhere in a text. Raises as `Effort.left` does."""
        return self._search(text, effort, has_groups=False) is not None

    def groups(self, text: str, effort: Effort) -> tuple[str | None, ...] | None:
        """The groups of the first match in a text, or None if there is no match. Raises as `Effort.left` does."""
        match = self._search(text, effort, has_groups=True)
        if match is None:
            return None
        return tuple(group.decode() if isinstance(group, bytes) else group for group in match.groups())

    def _search(self, text: str, effort: Effort, *, has_groups: bool) -> Any:
        left = effort.left()
        linear = self._in_ascii if text.isascii() else self._in_others
        if linear is not None and linear.is_for(text, effort, has_groups=has_groups):
            with contextlib.suppress(UnicodeEncodeError):  # lone surrogates are not in UTF-8
                return linear.search(text.encode())
        try:  # with half of the time, as `Effort.share` says
            return self._compile_backtracking().search(text, timeout=left / 2, concurrent=True)
        except (TimeoutError, MemoryError, ValueError):
            raise effort.over() from None
        finally:
            if len(text) > _LONG:
                self._backtracking = None

    def _compile_backtracking(self) -> Any:
        if self._backtracking is None:
            import regex  # type: ignore[import-untyped]

            from mockd.patterns.dialects import Unsupported, for_regex

            try:
                self._backtracking = regex.compile(for_regex(self.source), cache_pattern=False)
            except (Unsupported, regex.error, ValueError, OverflowError, RecursionError) as error:
                raise ValueError(f"no engine runs it: {error}") from None
        return self._backtracking


def _linear(source: str) -> tuple[_Linear | None, _Linear | None]:
    """What runs a pattern in linear time, for texts that are ASCII and for others. None if RE2 cannot."""
    from mockd.patterns.dialects import Unsupported, for_re2

    in_ascii = None
    try:
        written = for_re2(source, is_ascii=True)
        in_ascii = _Linear(written)
        for_others = for_re2(source, is_ascii=False)
        return in_ascii, in_ascii if for_others == written else _Linear(for_others)
    except Unsupported:
        return in_ascii, None
