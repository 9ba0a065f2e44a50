"""Rounds of examples. The same seed gives the same examples."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, TypeVar

import hypothesis
from hypothesis import HealthCheck, Phase
from hypothesis import strategies as st

from tests.stress.server import Server

Example = TypeVar("Example")
Round = Callable[[Server, int], None]
"""What tries some examples on a server, drawn with a seed. It raises if an answer is not as it must be."""

EXAMPLES = 20
"""Number of examples in a round. They are not made smaller if one fails, so that a round has its end."""

MOST_SHOWN = 2000
"""Most characters of an example that are shown."""


def bounded(count: int = EXAMPLES) -> Any:
    """Settings of a round."""
    return hypothesis.settings(
        max_examples=count,
        database=None,
        deadline=None,
        phases=[Phase.generate],
        suppress_health_check=list(HealthCheck),
        print_blob=False,
    )


def examples(strategy: st.SearchStrategy[Example], check: Callable[[Server, Example], None]) -> Round:
    """A round that checks the server with each example of a strategy."""

    def round(server: Server, seed: int) -> None:
        @hypothesis.seed(seed)
        @bounded()
        @hypothesis.given(strategy)
        def run(example: Example) -> None:
            try:
                check(server, example)
            except Exception as error:
                error.add_note(f"with {example!r}"[:MOST_SHOWN])
                raise

        run()

    return round


Text = TypeVar("Text", str, bytes)


@st.composite
def spoilt(draw: st.DrawFn, texts: Sequence[Text], inserted: Sequence[Text]) -> Text:
    """One of some texts with up to three pieces cut out, put in, or exchanged."""
    text = draw(st.sampled_from(texts))
    for _ in range(draw(st.integers(1, 3))):
        begin = draw(st.integers(0, len(text)))
        end = min(len(text), begin + draw(st.integers(0, 8)))
        text = text[:begin] + draw(st.sampled_from(inserted)) + text[end:]
    return text


def texts_of(*parts: str, most: int = 12) -> st.SearchStrategy[str]:
    """Texts that are put together of some parts, and of other characters here and there."""
    return st.lists(st.sampled_from(parts) | st.text(max_size=3), min_size=1, max_size=most).map("".join)
