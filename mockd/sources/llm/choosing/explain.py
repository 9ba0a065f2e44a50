"""What `--explain` says of a request: the rule that answers it, and why those before it do not."""

from __future__ import annotations

from collections.abc import Sequence

from mockd.request import RequestView
from mockd.sources.llm.choosing.chooser import Choice, Passed
from mockd.sources.llm.refusals import telling


def tell(request: RequestView, choice: Choice, passed: Sequence[Passed], *, is_error: bool) -> None:
    """Log a line for the rule that answers a request, and one for each that was passed over."""
    how = "answers with its error" if is_error else "answers"
    count = "" if choice.entry is None or not choice.entry.is_in_turn else f", of {len(choice.entry.replies)}"
    telling.tell(request, choice.told, f"{choice.told}{count} {how}")
    for one in passed:
        telling.tell(request, one.told, f"{one.told} does not: {one.reason}", one.reason)
