"""What mocks say of a model's replies: the parameters of templates, and which of them a wire can express."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, Any, Literal

from msgspec import Meta, Struct

from mockd.config.base import Seconds, read_seconds
from mockd.config.models import Delay, ValueTest
from mockd.errors import ConfigError
from mockd.patterns import check_pattern

FinishReason = Literal["stop", "length", "tool_calls", "content_filter"]


def _doc(text: str) -> Meta:
    return Meta(description=text)


class Params(Struct, rename="camel", forbid_unknown_fields=True, frozen=True, kw_only=True):
    """Base class of every part of a template's parameters: keys are in camelCase, and unknown keys are refused."""


class ToolCall(Params, frozen=True, kw_only=True):
    """One tool call."""

    name: Annotated[str, _doc("Name of the tool.")]
    arguments: Annotated[dict[str, Any], _doc("Arguments of the call.")] = {}
    input: Annotated[
        str | None,
        _doc(
            "Text that a custom tool of OpenAI's gets in place of `arguments`. A tool that is no custom one gets it as "
            "the argument `input`."
        ),
    ] = None
    id: Annotated[str | None, _doc("ID of the call; by default a random one in the provider's form.")] = None

    def __post_init__(self) -> None:
        if self.input is not None and self.arguments:
            raise ValueError("give one of `arguments` and `input`: a custom tool gets a text alone")


class Citation(Params, frozen=True, kw_only=True):
    """A source of a part of the reply."""

    url: Annotated[str, _doc("URL of the source.")]
    title: Annotated[str, _doc("Title of the source.")] = ""
    text: Annotated[str | None, _doc("The part of the reply; by default all of it.")] = None


_Count = Annotated[int, Meta(ge=0)]


class Usage(Params, frozen=True, kw_only=True):
    """The numbers of tokens in the reply's usage."""

    input_tokens: Annotated[_Count | None, _doc("Tokens of the request; by default the number of its words.")] = None
    output_tokens: Annotated[_Count | None, _doc("Tokens of the reply; by default they are counted.")] = None
    reasoning_tokens: Annotated[_Count | None, _doc("Reasoning tokens among the output tokens.")] = None
    cached_tokens: Annotated[int, Meta(ge=0, description="Cached tokens among the input tokens.")] = 0


UNSAID = "The server had an error while processing your request."
"""Message of an error that has none of its own."""


class Error(Params, frozen=True, kw_only=True):
    """The provider's error instead of the reply: an HTTP error if it has `status`, otherwise an error in the stream."""

    type: Annotated[str | None, _doc("The provider's error type; by default the status's.")] = None
    message: Annotated[str, _doc("Message of the error.")] = UNSAID
    status: Annotated[
        Annotated[int, Meta(ge=400, le=599)] | None, _doc("HTTP status of an error before the stream.")
    ] = None
    retry_after: Annotated[Seconds | None, _doc("`Retry-After`, in seconds; only with `status`.")] = None
    after_tokens: Annotated[int, Meta(ge=0, description="Number of content events before an error in the stream.")] = 0
    times: Annotated[
        Annotated[int, Meta(ge=1)] | None,
        _doc("Number of requests that get the error; later ones get the reply. By default all."),
    ] = None
    cut: Annotated[
        Literal["end", "close", "reset"] | None,
        _doc(
            "The reply breaks off after `afterTokens` and says nothing of an error: its body ends early, or its "
            "connection is closed or reset. A reply in one piece does not even begin."
        ),
    ] = None

    def __post_init__(self) -> None:
        read_seconds(self, "retry_after")
        if self.cut is not None and (self.status is not None or self.type is not None or self.message != UNSAID):
            raise ValueError(
                "`cut` does not go with `status`, `type` or `message`: a reply that breaks off says nothing"
            )
        if self.status is not None and self.after_tokens:
            raise ValueError("`afterTokens` does not go with `status`: that error comes before the stream")
        if self.status is None and self.retry_after is not None:
            raise ValueError("`retryAfter` goes with `status`: only an HTTP error has headers to say it")


class ReplyFields(Params, frozen=True, kw_only=True):
    """One reply."""

    text: Annotated[str | None, _doc("Text of the reply; split into words, each with the space before it.")] = None
    tokens: Annotated[tuple[str, ...] | None, _doc("Text of the reply in tokens, one for each content event.")] = None
    reasoning: Annotated[str | None, _doc("Reasoning before the text.")] = None
    tool_calls: Annotated[tuple[ToolCall, ...], _doc("Tool calls; several are parallel calls.")] = ()
    refusal: Annotated[str | None, _doc("Text of a refusal, instead of the reply's text.")] = None
    citations: Annotated[tuple[Citation, ...], _doc("Sources of the text.")] = ()
    finish_reason: Annotated[
        FinishReason | None, _doc("Reason of the end; by default `tool_calls` if tools are called, else `stop`.")
    ] = None
    usage: Annotated[Usage, _doc("Numbers of tokens; by default they are counted.")] = Usage()
    model: Annotated[str | None, _doc("Model; by default the request's.")] = None
    error: Annotated[Error | None, _doc("An error instead of the reply, or in the middle of it.")] = None
    argument_chunk: Annotated[
        Annotated[int, Meta(ge=1)] | None,
        _doc("Characters of a call's arguments in each fragment; by default as the provider sends them."),
    ] = None

    def __post_init__(self) -> None:
        if self.text is not None and self.tokens is not None:
            raise ValueError("give one of `text` and `tokens`")
        if self.refusal is not None and (self.text or self.tokens or self.tool_calls):
            raise ValueError("`refusal` does not go with `text`, `tokens` or `toolCalls`: it is said instead of them")

    @property
    def has_content(self) -> bool:
        """Whether the fields have any content; if not, a default text is sent."""
        return bool(self.text is not None or self.tokens is not None or self.tool_calls or self.refusal is not None)


class When(Params, frozen=True, kw_only=True):
    """The requests that a scripted reply answers: every criterion that is given must match."""

    contains: Annotated[str | None, _doc("Text that the last user message contains.")] = None
    regex: Annotated[str | None, _doc("Regular expression that is searched for in the last user message.")] = None
    system: Annotated[str | None, _doc("Text that the system prompt contains.")] = None
    model: Annotated[str | None, _doc("Model in the request; `*` stands for any characters.")] = None
    provider: Annotated[
        str | None, _doc("Provider that is asked: `openai`, `anthropic` and so on, as in the paths of the preset.")
    ] = None
    stream: Annotated[bool | None, _doc("Whether the request asks for a stream.")] = None
    turn: Annotated[Annotated[int, Meta(ge=1)] | None, _doc("Number of the user's messages so far.")] = None
    step: Annotated[
        Annotated[int, Meta(ge=0)] | None, _doc("Number of the model's replies since the user's last message.")
    ] = None
    tools: Annotated[
        tuple[str, ...] | None, _doc("Names of tools that the request declares, and maybe others; `[]`: it has none.")
    ] = None
    tool_result: Annotated[bool | None, _doc("Whether the last message has the result of a tool.")] = None
    tool_name: Annotated[str | None, _doc("Name of a tool whose result the last message has.")] = None
    tool_result_contains: Annotated[str | None, _doc("Text that a result in the last message contains.")] = None
    schema: Annotated[
        bool | str | None, _doc("Whether the request demands JSON; or the name, or title, of the schema it demands.")
    ] = None
    side_call: Annotated[
        bool | str | None,
        _doc(
            "Whether an agent asks for something beside its job, such as a title; or the name of the known side call."
        ),
    ] = None
    headers: Annotated[dict[str, str | ValueTest], _doc("Header values, as in a matcher.")] = {}
    body_json_path: Annotated[dict[str, Any], _doc("Values in the JSON body by JSONPath, as in a matcher.")] = {}

    def __post_init__(self) -> None:
        if self.regex is not None:
            check_pattern(self.regex, "regex")
        for field, value in (("toolName", self.tool_name), ("toolResultContains", self.tool_result_contains)):
            if value is not None and self.tool_result is False:
                raise ValueError(f"`{field}` does not go with `toolResult: false`: it is for requests with a result")


class Scripted(Params, frozen=True, kw_only=True):
    """A reply for certain requests, or several in turn."""

    when: Annotated[When, _doc("Which requests it is for; empty: every request.")] = When()
    reply: Annotated[ReplyFields | None, _doc("The reply.")] = None
    replies: Annotated[
        tuple[ReplyFields, ...], _doc("Replies in turn, for each conversation from the first; the last one stays.")
    ] = ()

    def __post_init__(self) -> None:
        if self.reply is not None and self.replies:
            raise ValueError("give one of `reply` and `replies`: the one reply may be the first of them")
        if self.reply is None and not self.replies:
            raise ValueError("missing `reply`, or `replies` with at least one")
        for number, reply in enumerate(self.replies[:-1]):
            if reply.error is not None and reply.error.times is None:
                raise ValueError(
                    f"`error` of reply {number} needs `times`: an error uses up no reply, so none behind it would come"
                )

    @property
    def places(self) -> list[tuple[tuple[str | int, ...], ReplyFields]]:
        """Each reply, with its place in the entry."""
        if self.reply is not None:
            return [(("reply",), self.reply)]
        return [(("replies", number), reply) for number, reply in enumerate(self.replies)]


class ReplyParams(ReplyFields, frozen=True, kw_only=True):
    """Parameters of every template of a model's replies."""

    echo: Annotated[bool, _doc("Say the last user message, where the reply has no content of its own.")] = False
    script: Annotated[tuple[Scripted, ...], _doc("Replies for some requests; the first that fits wins.")] = ()
    strict: Annotated[bool, _doc("Answer a request that the real service would refuse with its own 400.")] = False
    obey: Annotated[
        bool, _doc("Do as the request asks: forced tools, limits of tokens, stop texts, demanded JSON, reasoning.")
    ] = False
    auto_tools: Annotated[
        bool, _doc("Call each tool that a request offers once, with example arguments; only with `obey`.")
    ] = False
    side_calls: Annotated[
        bool, _doc("Answer the side calls of known agents apart from all else; only with `obey`.")
    ] = False
    provider: Annotated[
        str | None, _doc("Provider in whose place it answers, for `when`; by default the template's.")
    ] = None
    explain: Annotated[
        bool,
        _doc("Log for each request which entry of the script answers it and why, or what refuses it."),
    ] = False
    delay_per_token: Annotated[
        Delay | None, _doc("Pause before each content event in milliseconds, where `timing` has no `itl`.")
    ] = None

    def __post_init__(self) -> None:
        super().__post_init__()
        if self.auto_tools and not self.obey:
            raise ValueError("`autoTools` goes with `obey`: only then it matters which tools a request offers")
        if self.side_calls and not self.obey:
            raise ValueError("`sideCalls` goes with `obey`: what they are answered follows from what they ask")


def refuse_inexpressible(
    fields: ReplyFields, template: str, expresses: frozenset[str], finish: Mapping[str, str], lacks: frozenset[str]
) -> None:
    """Raise `ConfigError` for a parameter that the wire of a template cannot express."""
    for name in inexpressible(fields, expresses, finish, lacks):
        what = f"the {name} `{fields.finish_reason}`" if name == "finishReason" else f"`{name}`"
        raise ConfigError(
            f"template `{template}` cannot express {what}: its wire has nothing for it",
            path=tuple(name.split(".")),
            hint="leave it out, or use another template",
        )


RARE = {
    "reasoning": "reasoning",
    "toolCalls": "tool_calls",
    "refusal": "refusal",
    "citations": "citations",
}
"""Parameters that only some wires can express, and their attributes."""


def inexpressible(
    fields: ReplyFields, expresses: frozenset[str], finish: Mapping[str, str], lacks: frozenset[str] = frozenset()
) -> list[str]:
    """The given parameters that a wire cannot express. The wire `expresses` certain rare parameters, has words for
    certain reasons to `finish`, and `lacks` certain common parameters."""
    usual = {
        "usage": fields.usage != Usage(),
        "model": fields.model,
        "error.type": fields.error and fields.error.type,
    }
    names = [name for name, attribute in RARE.items() if getattr(fields, attribute) and name not in expresses]
    names += [name for name, given in usual.items() if given and name in lacks]
    unknown = fields.finish_reason is not None and fields.finish_reason not in finish
    return [*names, "finishReason"] if unknown else names
