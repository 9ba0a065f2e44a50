"""`openai-completions`: OpenAI's older Completions, which continue a prompt, streamed or in one piece:
https://platform.openai.com/docs/api-reference/completions.

A request may have several prompts, as text or as tokens, and ask for several choices of each.
"""

from __future__ import annotations

from collections.abc import Hashable, Iterator, Sequence
from itertools import accumulate
from typing import Any, ClassVar, NamedTuple, TypeGuard

from mockd.events import Event, Slot
from mockd.jsontext import encode_json
from mockd.sources.llm.budget import LARGEST_EVENT, LONGEST_TEXT, Refused
from mockd.sources.llm.replies.params import Error
from mockd.sources.llm.replies.reply import Reply, tokens_of
from mockd.sources.llm.requests.ask import Ask, Turn
from mockd.sources.llm.requests.options import Options, most_tokens, stops_in
from mockd.sources.llm.wires.access import OPENAI_COMPLETIONS
from mockd.sources.llm.wires.openai import OpenAIWire
from mockd.sources.llm.wires.openai_chat import MOST_CHOICES
from mockd.sources.llm.wires.wire import STRUCTURE, Failure, IdForm

_MOST_ALTERNATIVES = 5
"""The limit of the real service."""
_END = "<|endoftext|>"
"""The prompt of a request without one."""


class CompletionShape(NamedTuple):
    """The part of a request that decides which events its stream has."""

    prompts: int = 1
    choices: int = 1
    """Number of choices for each prompt."""
    generated: int = 1
    """Number of choices for each prompt of which these are the best. All of them count in the usage."""
    logprobs: int | None = None
    """Number of alternatives for each token, or None without log probabilities."""
    echo: bool = False
    usage: bool = False
    offsets: tuple[int, ...] = ()
    """Numbers of characters before the reply to each prompt, if they are told: with `echo` and log probabilities."""

    @property
    def all(self) -> int:
        """The number of all choices."""
        return self.prompts * self.choices

    def output_tokens(self, reply: Reply) -> int:
        """The number of tokens of all choices that are generated."""
        return reply.output_tokens * self.prompts * self.generated


class OpenAICompletions(OpenAIWire):
    """OpenAI's older Completions."""

    name = "openai-completions"
    provider = "openai"
    summary = "OpenAI's older Completions, streamed and in one piece."
    default_model = "gpt-3.5-turbo-instruct"
    finish = {word: word for word in ("stop", "length", "content_filter")}
    required = ("model",)
    ids: ClassVar[dict[str, IdForm]] = {"id": IdForm("cmpl-", 29)}
    opening_events = 0
    access = OPENAI_COMPLETIONS

    # -- what a request asks ---------------------------------------------------------------------------------------

    def turns(self, ask: Ask) -> Iterator[Turn]:
        """The prompts as messages of the user. The text behind them, `suffix`, counts too."""
        if suffix := ask.text("suffix"):
            yield Turn("system", suffix)
        for prompt in prompts_of(ask):
            yield Turn("user", prompt)

    def options(self, ask: Ask) -> Options:
        """The limits of each choice. `max_tokens` may be 0: clients ask so for the prompt alone, with `echo`."""
        most = most_tokens(ask.body.get("max_tokens"), least=0)
        return Options(max_tokens=most, stops=stops_in(ask.body.get("stop")))

    def shape(self, ask: Ask) -> CompletionShape:
        body = ask.body
        prompts, choices, asked = prompts_of(ask), _choices_in(body.get("n")), body.get("logprobs")
        logprobs = min(asked, _MOST_ALTERNATIVES) if _is_number(asked) and asked >= 0 else None
        echo = body.get("echo") is True
        return CompletionShape(
            len(prompts),
            choices,
            max(choices, _choices_in(body.get("best_of"))),
            logprobs,
            echo,
            bool(ask.part("stream_options").get("include_usage")),
            tuple(map(len, prompts)) if echo and logprobs is not None else (),
        )

    def copies(self, shape: Hashable) -> tuple[int, int]:
        assert isinstance(shape, CompletionShape)
        return shape.all, 0 if shape.logprobs is None else 1 + shape.logprobs

    def counts(self, ask: Ask, shape: Hashable) -> bool:
        assert isinstance(shape, CompletionShape)
        return shape.usage or not self.streams(ask)

    def output_tokens(self, reply: Reply, shape: Hashable) -> int:
        assert isinstance(shape, CompletionShape)
        return shape.output_tokens(reply)

    def slots(self, ask: Ask, reply: Reply, shape: Hashable) -> dict[str, bytes]:
        """The slots of every wire, and for each prompt that is repeated `echo0` and so on, or `text0` with the reply
        behind it; and `logprobs0` with the log probabilities of that."""
        assert isinstance(shape, CompletionShape)
        slots = super().slots(ask, reply, shape)
        if shape.echo:
            prompts = prompts_of(ask)
            if sum(map(len, prompts)) * shape.choices > LONGEST_TEXT:
                raise Refused(f"The prompts have more than {LONGEST_TEXT} characters; mockd repeats no more.")
            size = 2 * sum(shape.offsets) * shape.choices * (1 + (shape.logprobs or 0))
            if size > LARGEST_EVENT:
                said = f"would have about {size} characters; the limit is {LARGEST_EVENT}"
                raise Refused(f"The log probabilities of the prompts {said}.")
            streams = self.streams(ask)
            for number, prompt in enumerate(prompts):
                name, text = ("echo", prompt) if streams else ("text", prompt + reply.text)
                slots[f"{name}{number}"] = encode_json(text)
                if shape.logprobs is not None:
                    echoed = tokens_of(prompt)
                    told = echoed if streams else (*echoed, *reply.tokens)
                    slots[f"logprobs{number}"] = encode_json(_logprobs(told, 0, shape, has_first=bool(echoed)))
        return slots

    # -- the stream ------------------------------------------------------------------------------------------------

    def events(self, reply: Reply, shape: Hashable) -> Iterator[Event]:
        assert isinstance(shape, CompletionShape)
        if shape.echo:
            for index in range(shape.all):
                prompt = index // shape.choices
                logprobs = None if shape.logprobs is None else Slot(f"logprobs{prompt}")
                yield self.chunk(shape, [_choice(index, Slot(f"echo{prompt}"), logprobs)])
        place = 0
        for token in reply.tokens:
            for index in range(shape.all):
                before = shape.offsets[index // shape.choices] if shape.offsets else 0
                choice = _choice(index, token, _logprobs([token], before + place, shape))
                yield self.chunk(shape, [choice], None if index == 0 else STRUCTURE)
            place += len(token)
        for index in range(shape.all):
            yield self.chunk(shape, [_choice(index, "", None, self.finish[reply.finish])])
        if shape.usage:
            yield self.chunk(shape, [], usage=_usage(reply, shape))
        yield Event("[DONE]", delay_s=STRUCTURE)

    def chunk(
        self, shape: CompletionShape, choices: list[Any], delay_s: float | None = STRUCTURE, usage: Any = None
    ) -> Event:
        told = {"usage": usage} if shape.usage else {}
        return Event({**_completion(choices), **told}, delay_s=delay_s)

    # -- in one piece ----------------------------------------------------------------------------------------------

    def whole(self, reply: Reply, shape: Hashable) -> Any:
        assert isinstance(shape, CompletionShape)
        finish = self.finish[reply.finish]
        text: str | Slot = reply.text
        logprobs: Any = _logprobs(reply.tokens, 0, shape)
        choices = []
        for index in range(shape.all):
            if shape.echo:
                prompt = index // shape.choices
                text = Slot(f"text{prompt}")
                logprobs = logprobs and Slot(f"logprobs{prompt}")
            choices.append(_choice(index, text, logprobs, finish))
        return {**_completion(choices), "usage": _usage(reply, shape)}

    # -- errors ----------------------------------------------------------------------------------------------------

    def error_events(self, error: Error, sent: Sequence[Event], reply: Reply, shape: Hashable) -> Iterator[Event]:
        yield Event(self.error_body(Failure(500, error.message, error.type)), delay_s=STRUCTURE)


def prompts_of(ask: Ask) -> list[str]:
    """The prompts of a request, each as text. Tokens are written as their numbers."""
    given = ask.body.get("prompt")
    if isinstance(given, str):
        return [given]
    if not isinstance(given, list) or not given:
        return [_END]
    if all(_is_number(item) for item in given):
        return [_in_text(given)]
    return [item if isinstance(item, str) else _in_text(item) for item in given]


def _in_text(tokens: Any) -> str:
    return " ".join(str(token) for token in tokens if _is_number(token)) if isinstance(tokens, list) else _END


def _choices_in(given: Any) -> int:
    """The number of choices that a field asks for."""
    return min(given, MOST_CHOICES) if _is_number(given) and given > 0 else 1


def _is_number(value: Any) -> TypeGuard[int]:
    return isinstance(value, int) and not isinstance(value, bool)


def _completion(choices: list[Any]) -> dict[str, Any]:
    return {
        "id": Slot("id"),
        "object": "text_completion",
        "created": Slot("created"),
        "model": Slot("model"),
        "system_fingerprint": "fp_mockd",
        "choices": choices,
    }


def _choice(index: int, text: str | Slot, logprobs: Any = None, finish: str | None = None) -> dict[str, Any]:
    return {"text": text, "index": index, "logprobs": logprobs, "finish_reason": finish}


def _logprobs(
    tokens: Sequence[str], place: int, shape: CompletionShape, *, has_first: bool = False
) -> dict[str, Any] | None:
    """The log probabilities of tokens, of which the first is at that place of the text. The first of a prompt has none,
    as nothing is before it."""
    if shape.logprobs is None:
        return None
    places = accumulate(map(len, tokens), initial=place)
    alternatives: list[dict[str, float] | None] = [
        {token: -0.01, **{f"{token}{rank}": -4.0 - rank for rank in range(1, shape.logprobs)}} if shape.logprobs else {}
        for token in tokens
    ]
    logprobs: list[float | None] = [-0.01] * len(tokens)
    if has_first:
        alternatives[0] = logprobs[0] = None
    return {
        "tokens": list(tokens),
        "token_logprobs": logprobs,
        "top_logprobs": alternatives if shape.logprobs else None,
        "text_offset": list(places)[:-1],
    }


def _usage(reply: Reply, shape: CompletionShape) -> dict[str, Any]:
    return {
        "prompt_tokens": Slot("prompt"),
        "completion_tokens": shape.output_tokens(reply),
        "total_tokens": Slot("total"),
    }
