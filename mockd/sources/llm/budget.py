"""The budget of a reply: how much a request may make of it.

What a mock says of itself may be as long as its author likes. What a client makes of it (by a long prompt that is
echoed, a JSON schema, several choices, log probabilities, embeddings) has these limits. A request above one of them
gets its provider's own error, with status 400.
"""

from __future__ import annotations

LONGEST_TEXT = 1_000_000
"""Most characters of a text that is taken from a request: an echo, an example of a JSON schema, an expression."""
MOST_CHARACTERS = 4_000_000
"""Most characters of an answer, in all of its choices, with its log probabilities."""
MOST_EVENTS = 65_536
"""Most content events of an answer, in all of its choices. Each log probability counts as one more. To cut a text into
so many takes 10 to 20 ms, in which no other stream gets its turn."""
LARGEST_EVENT = 131_072
"""Most characters of one event, with its log probabilities. To make one takes 20 ms."""
MOST_STEPS = 50_000
"""Most steps in which an example of a JSON schema is made. A step takes about a microsecond."""
MOST_NUMBERS = 3_200_000
"""Most numbers in an answer with embeddings: 2,048 vectors of usual length, as many as OpenAI gives."""
MOST_NESTED = 100
"""Most levels to which the contents of a message are nested."""
LONGEST_MODEL = 1_000
"""Most characters of a model's name, which stands in every event."""
LONGEST_SCHEMA = 262_144
"""Most bytes of a JSON schema, and most characters of a grammar."""
LONGEST_PATTERN = 1_000
"""Most characters of a pattern in a JSON schema."""
MOST_EARLIER = 2_000
"""Most turns that are seen of what a request goes on from: stored responses, or a stored conversation. To go through so
many takes some milliseconds."""
LONGEST_EARLIER = 4_000_000
"""Most characters in these turns."""

TOO_DEEP = "The request is nested too deeply."


class Refused(Exception):
    """A request that its provider refuses with status 400. The message is for the client."""


class Budget:
    """What is left of the steps and characters of one example of a JSON schema."""

    __slots__ = ("_characters", "_steps")

    def __init__(self) -> None:
        self._steps: float = MOST_STEPS
        self._characters: float = LONGEST_TEXT

    def spend(self, steps: float = 1, characters: float = 0) -> None:
        """Take from the budget. Raises `Refused` when it is used up."""
        self._steps -= steps
        self._characters -= characters
        if self._characters < 0:
            raise Refused(f"The JSON schema asks for more than {LONGEST_TEXT} characters.")
        if self._steps < 0:
            raise Refused("The JSON schema asks for too much.")


def refuse_above(events: int, characters: int) -> None:
    """Raise `Refused` for an answer with so many events and characters, if they are too many."""
    if events > MOST_EVENTS:
        raise Refused(f"The reply would have {events} tokens in all of its choices; the limit is {MOST_EVENTS}.")
    if characters > MOST_CHARACTERS:
        raise Refused(f"The reply would have about {characters} characters; the limit is {MOST_CHARACTERS}.")


def refuse_many_words(text: str) -> None:
    """Raise `Refused` for a text with more words than an answer may have, before it is cut into them."""
    if len(text.split(None, MOST_EVENTS)) > MOST_EVENTS:
        raise Refused(f"The reply would have more tokens than the limit of {MOST_EVENTS}.")


def refuse_large_event(characters: int) -> None:
    """Raise `Refused` for an event with so many characters, if they are too many."""
    if characters > LARGEST_EVENT:
        raise Refused(f"A token would have about {characters} characters in its event; the limit is {LARGEST_EVENT}.")


def refuse_large_schema(schema: bytes) -> None:
    """Raise `Refused` for a JSON schema with so many bytes, if they are too many."""
    if len(schema) > LONGEST_SCHEMA:
        raise Refused(f"The JSON schema has {len(schema)} bytes; the limit is {LONGEST_SCHEMA}.")


def refuse_large_grammar(grammar: str) -> None:
    """Raise `Refused` for a grammar with so many characters, if they are too many."""
    if len(grammar) > LONGEST_SCHEMA:
        raise Refused(f"The grammar has {len(grammar)} characters; the limit is {LONGEST_SCHEMA}.")
