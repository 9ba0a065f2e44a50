"""What is written about scenarios: a mock's part in a state that several mocks share."""

# This module does not postpone its annotations: msgspec would have to compile each of them at every start.

from typing import Annotated

from msgspec import Meta

from mockd.config.base import Config, doc

State = Annotated[str, Meta(min_length=1, max_length=200)]

START = "start"
"""The state in which every scenario begins."""


class Scenario(Config, frozen=True, kw_only=True):
    """A mock's part in a scenario: a state that several mocks share. It is `start` until one of them sets another."""

    name: Annotated[State, doc("Name of the scenario.")]
    when: Annotated[
        State | Annotated[list[State], Meta(min_length=1, max_length=100)] | None,
        doc("State, or a list of states, in which the mock matches. Absent: every state."),
    ] = None
    set: Annotated[State | None, doc("State into which a request puts the scenario when the mock answers it.")] = None

    def __post_init__(self) -> None:
        if self.when is None and self.set is None:
            raise ValueError("`scenario` needs `when`, `set` or both")
        if not self.name.isprintable() or "/" in self.name:
            raise ValueError("name: only printable characters other than `/`")

    @property
    def states(self) -> tuple[str, ...]:
        """The states in which the mock matches; empty if it does in all of them."""
        if self.when is None:
            return ()
        return (self.when,) if isinstance(self.when, str) else tuple(self.when)
