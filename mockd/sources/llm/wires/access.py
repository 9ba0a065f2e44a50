"""Access to providers' services: where requests have their keys, and what is said of keys and of rate limits."""

from __future__ import annotations

from hashlib import sha256
from typing import NamedTuple

from msgspec import Struct
from msgspec.structs import replace

from mockd.request import RequestView

BEARER = "authorization"
"""The header with the scheme `Bearer` (RFC 6750, section 2.1)."""
IN_QUERY = "?key"
"""The parameter `key` of the query."""


class Words(NamedTuple):
    """The words of an error: its message, its type and code if they are not those of its status, and the field of the
    request that is wrong.

    In messages about limits stand `{model}`, `{limit}` (per minute, or of a request), `{used}`, `{requested}`,
    `{excess}` (what is too much), and for the time until the client may come again `{wait}` (as in `1.5s`) and
    `{seconds}` (whole).
    """

    message: str
    type: str | None = None
    code: str | None = None
    param: str | None = None


class Names(NamedTuple):
    """The names of the headers that say a rate limit, what is left of it, and when it is whole again."""

    limit: str
    remaining: str
    reset: str | None = None


class Access(Struct, frozen=True, kw_only=True):
    """The access to a provider's services.

    `carriers` are the places in which a request may have its key: names of headers, `BEARER` and `IN_QUERY` among them.
    `requests` and `tokens` name the headers about each kind of rate limit.
    """

    carriers: tuple[str, ...] = (BEARER,)
    no_key: Words = Words("Unauthorized")
    wrong_key: Words = Words("Unauthorized")
    requests: tuple[Names, ...] = ()
    tokens: tuple[Names, ...] = ()
    requests_spent: Words = Words("Rate limit exceeded")
    tokens_spent: Words = Words("Rate limit exceeded")
    too_large: Words = Words("Rate limit exceeded")
    """The words for a request with more tokens than there are in a minute, which no waiting helps."""
    too_long: Words = Words("The input has {requested} tokens, more than the context window of {limit}.")
    """The words for a request that is longer than the context window."""


def digests_in(request: RequestView, carriers: tuple[str, ...]) -> list[bytes]:
    """The hashes of the keys that a request has, in the order of the places where they may be."""
    found = []
    for carrier in carriers:
        if carrier == IN_QUERY:
            found += [value.encode("utf-8", "surrogateescape") for value in request.query.get("key", ())]
        elif (value := request.raw_headers.get(carrier.encode())) is not None:
            if carrier == BEARER:
                scheme, _, value = value.partition(b" ")
                if scheme.lower() != b"bearer":
                    continue
            found.append(value.strip())
    return [digest_of(key) for key in found if key]


def digest_of(key: bytes) -> bytes:
    """The hash that stands for a key, which itself is kept nowhere."""
    return sha256(key).digest()


def _x_ratelimit(kind: str, *, resets: bool = True) -> tuple[Names, ...]:
    return (
        Names(
            f"x-ratelimit-limit-{kind}",
            f"x-ratelimit-remaining-{kind}",
            f"x-ratelimit-reset-{kind}" if resets else None,
        ),
    )


def _anthropic_ratelimit(*kinds: str) -> tuple[Names, ...]:
    return tuple(
        Names(*(f"anthropic-ratelimit-{kind}-{what}" for what in ("limit", "remaining", "reset"))) for kind in kinds
    )


_KEYS_OF_OPENAI = "https://platform.openai.com/account/api-keys"
_LIMITS_OF_OPENAI = "https://platform.openai.com/account/rate-limits"
_OPENAI_SPENT = (
    "Rate limit reached for {{model}} in organization org-mockd on {} per min ({}): Limit {{limit}}, Used {{used}}, "
    f"Requested {{{{requested}}}}. Please try again in {{{{wait}}}}. Visit {_LIMITS_OF_OPENAI} to learn more."
)

OPENAI = Access(
    # https://platform.openai.com/docs/guides/rate-limits names the headers, .../guides/error-codes the errors; the
    # messages are as seen.
    no_key=Words(
        "You didn't provide an API key. You need to provide your API key in an Authorization header using Bearer auth "
        "(i.e. Authorization: Bearer YOUR_KEY), or as the password field (with blank username) if you're accessing the "
        "API from your browser and are prompted for a username and password. You can obtain an API key from "
        f"{_KEYS_OF_OPENAI}.",
        "invalid_request_error",
    ),
    wrong_key=Words(f"Incorrect API key provided: ***. You can find your API key at {_KEYS_OF_OPENAI}."),
    requests=_x_ratelimit("requests"),
    tokens=_x_ratelimit("tokens"),
    requests_spent=Words(_OPENAI_SPENT.format("requests", "RPM")),
    tokens_spent=Words(_OPENAI_SPENT.format("tokens", "TPM"), "tokens", "rate_limit_exceeded"),
    too_large=Words(
        "Request too large for {model} in organization org-mockd on tokens per min (TPM): Limit {limit}, Requested "
        "{requested}. The input or output tokens must be reduced in order to run successfully. Visit "
        f"{_LIMITS_OF_OPENAI} to learn more.",
        "tokens",
        "rate_limit_exceeded",
    ),
    too_long=Words(
        "This model's maximum context length is {limit} tokens. However, your messages resulted in {requested} tokens. "
        "Please reduce the length of the messages.",
        "context_length_exceeded",
        param="messages",
    ),
)
OPENAI_COMPLETIONS = replace(
    OPENAI,
    too_long=Words(
        "This model's maximum context length is {limit} tokens, however you requested {requested} tokens ({requested} "
        "in your prompt; 0 for the completion). Please reduce your prompt; or completion length.",
        "invalid_request_error",
    ),
)
OPENAI_RESPONSES = replace(
    OPENAI,
    too_long=Words(
        "Your input exceeds the context window of this model. Please adjust your input and try again.",
        "context_length_exceeded",
        param="input",
    ),
)

_AZURE_SPENT = (
    "Requests to the {{model}} deployment have exceeded the {} rate limit of your current OpenAI S0 pricing tier. "
    "Please retry after {{seconds}} seconds."
)
_AZURE_NO_KEY = Words(
    "Access denied due to invalid subscription key or wrong API endpoint. Make sure to provide a valid key for an "
    "active subscription and use a correct regional API endpoint for your resource."
)
AZURE = Access(
    # https://learn.microsoft.com/azure/ai-services/openai/reference: the header `api-key`, or a token of Entra ID.
    # Messages and headers are as seen.
    carriers=("api-key", BEARER),
    no_key=_AZURE_NO_KEY,
    wrong_key=_AZURE_NO_KEY,
    requests=_x_ratelimit("requests", resets=False),
    tokens=_x_ratelimit("tokens", resets=False),
    requests_spent=Words(_AZURE_SPENT.format("call")),
    tokens_spent=Words(_AZURE_SPENT.format("token")),
    too_large=Words("The request has {requested} tokens, more than the token rate limit of {limit} per minute."),
    too_long=OPENAI.too_long,
)

_ANTHROPIC_SPENT = (
    "This request would exceed your organization's rate limit of {{limit}} {} per minute (model: {{model}}). For "
    "details, refer to: https://docs.claude.com/en/api/rate-limits. You can see the response headers for current "
    "usage. Please reduce the prompt length or the maximum tokens requested, or try again later."
)
_ANTHROPIC_TOKENS = Words(_ANTHROPIC_SPENT.format("input tokens"))
ANTHROPIC = Access(
    # https://docs.claude.com/en/api/rate-limits has the headers and says that limits are token buckets, and
    # .../api/errors the types; the messages are as seen.
    carriers=("x-api-key", BEARER),
    no_key=Words("x-api-key header is required"),
    wrong_key=Words("invalid x-api-key"),
    requests=_anthropic_ratelimit("requests"),
    tokens=_anthropic_ratelimit("tokens", "input-tokens", "output-tokens"),
    requests_spent=Words(_ANTHROPIC_SPENT.format("requests")),
    tokens_spent=_ANTHROPIC_TOKENS,
    too_large=_ANTHROPIC_TOKENS,
    too_long=Words("prompt is too long: {requested} tokens > {limit} maximum"),
)

_GOOGLE_NO_KEY = Words(
    "Request had invalid authentication credentials. Expected OAuth 2 access token, login cookie or other valid "
    "authentication credential. See https://developers.google.com/identity/sign-in/web/devconsole-project."
)
_GOOGLE_SPENT = (
    "You exceeded your current quota, please check your plan and billing details. For more information on this error, "
    "head to: https://ai.google.dev/gemini-api/docs/rate-limits.\n* Quota exceeded for metric: "
    "generativelanguage.googleapis.com/{}, limit: {{limit}}\n"
)
_GOOGLE_REQUESTS, _GOOGLE_TOKENS = (
    _GOOGLE_SPENT.format(f"generate_content_{metric}")
    for metric in ("requests_per_minute", "paid_tier_input_token_count")
)
GOOGLE = Access(
    # https://ai.google.dev/gemini-api/docs/api-key; errors are those of https://cloud.google.com/apis/design/errors,
    # the messages as seen. No header says what is left.
    carriers=("x-goog-api-key", IN_QUERY, BEARER),
    no_key=_GOOGLE_NO_KEY,
    wrong_key=_GOOGLE_NO_KEY,
    requests_spent=Words(_GOOGLE_REQUESTS + "Please retry in {wait}."),
    tokens_spent=Words(_GOOGLE_TOKENS + "Please retry in {wait}."),
    too_large=Words(_GOOGLE_TOKENS),
    too_long=Words("The input token count ({requested}) exceeds the maximum number of tokens allowed ({limit})."),
)

MISTRAL = Access(
    # Headers and words are as seen. No header says when a limit is whole again.
    requests=(Names("x-ratelimit-limit-req-minute", "x-ratelimit-remaining-req-minute"),),
    tokens=(Names("x-ratelimit-limit-tokens-minute", "x-ratelimit-remaining-tokens-minute"),),
    too_long=Words(
        "Prompt contains {requested} tokens, too large for model with {limit} maximum context length",
        "invalid_request_prompt",
        "3051",
    ),
)

_COHERE_SPENT = Words(
    "You are past the rate limit of {limit} per minute; please wait {seconds} seconds and try again later."
)
COHERE = Access(
    # https://docs.cohere.com/reference/errors
    no_key=Words("no api key supplied"),
    wrong_key=Words("invalid api token"),
    requests=(Names("x-trial-endpoint-call-limit", "x-trial-endpoint-call-remaining"),),
    requests_spent=_COHERE_SPENT,
    tokens_spent=_COHERE_SPENT,
    too_large=Words("too many tokens: the request has {requested}, more than the {limit} of a minute"),
    too_long=Words(
        "too many tokens: size limit exceeded by {excess} tokens. Try using shorter or fewer inputs. The limit for "
        "this model is {limit} tokens."
    ),
)

OLLAMA = Access(
    # A local Ollama has no keys; its clients send one as a bearer token, for Ollama's cloud.
    no_key=Words("unauthorized"),
    wrong_key=Words("unauthorized"),
    requests_spent=Words("rate limit exceeded"),
    tokens_spent=Words("rate limit exceeded"),
    too_large=Words("rate limit exceeded"),
)
