"""The gate before a provider's services: requests need a key, and each client has its rate limits.

A gate is put around a source, whatever that is, and refuses in the provider's own words. It belongs to mocks that the
settings make, so no key stands in a mock.
"""

from __future__ import annotations

import hmac
import inspect
import math
from collections.abc import Awaitable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from msgspec.structs import replace

from mockd.events import Event
from mockd.source import Answer, BaseSource, Opened, Script, Source, SourceContext
from mockd.sources.llm.budget import Refused
from mockd.sources.llm.refusals import telling
from mockd.sources.llm.refusals.rates import Account, Rate
from mockd.sources.llm.refusals.refusal import refusal, refused
from mockd.sources.llm.requests.ask import Ask, text_in
from mockd.sources.llm.requests.tokens import count_words
from mockd.sources.llm.wires.access import Words, digests_in
from mockd.sources.llm.wires.wire import Failure, Wire

REQUESTS, TOKENS = "requests", "tokens"
_CHALLENGE = {"www-authenticate": "Bearer"}
"""The header that every 401 must have (RFC 9110, section 15.5.2)."""
_TEXTS = ("input", "inputs", "texts", "prompt", "query", "documents", "content", "requests", "messages", "contents")
"""Fields with the texts of requests that ask for no reply."""
_OPTIONS = {REQUESTS: "--rpm", TOKENS: "--tpm"}
_SHOWN = 100
"""Characters of a model's name that a message shows."""


@dataclass(frozen=True, slots=True)
class Gate:
    """A gate before a service of a provider.

    `digests` are the hashes of the keys that open it; without any, it needs no key. Keys are looked for in the places
    `carriers`. `rates` are the provider's rates for each client, by `REQUESTS` and `TOKENS`. Requests use them up if
    `is_counted`. `wire` has the words, and `reader` reads what is said to a model; it is None if no model replies.
    Models read at most `context_window` tokens; None: any number. If it `explains`, the log says which rule refuses a
    request.
    """

    provider: str
    wire: Wire
    carriers: tuple[str, ...]
    digests: tuple[bytes, ...]
    rates: Mapping[str, Rate]
    is_counted: bool
    reader: Wire | None
    context_window: int | None = None
    explains: bool = False

    def around(self, source: Source) -> Source:
        """The source behind this gate."""
        return GatedSource(self, source)

    def locked(self, given: Sequence[bytes]) -> Words | None:
        """The words for a client with the keys of these hashes, if none of them opens the gate."""
        if not self.digests:
            return None
        # All are compared, and each in a time that does not depend on where it differs.
        opens = [hmac.compare_digest(own, other) for own in self.digests for other in given]
        if any(opens):
            return None
        return self.wire.access.wrong_key if given else self.wire.access.no_key

    def unauthorized(self, words: Words, ask: Ask) -> Answer:
        """The answer to a client without a key of this gate. It has no account of which there was anything to tell."""
        access = self.wire.access
        about = {name for names in (*access.requests, *access.tokens) for name in names}
        answer = refusal(self.wire, Failure(401, words.message, words.type, code=words.code), ask, _CHALLENGE)
        return replace(answer, headers=tuple(header for header in answer.headers if header[0] not in about))

    def too_long(self, ask: Ask) -> Failure | None:
        """The error for a request with more tokens than the model can read."""
        if self.context_window is None or self.reader is None:
            return None
        tokens = self.reader.prompt_tokens(ask)
        excess = tokens - self.context_window
        if excess <= 0:
            return None
        if self.explains:
            telling.tell_refused(ask.request, f"--context-window {self.context_window}", f"it has {tokens} tokens")
        words = self.reader.access.too_long
        message = words.message.format(limit=self.context_window, requested=tokens, excess=excess)
        return Failure(400, message, words.type, words.param, code=words.code)

    def too_deep(self, error: Refused | RecursionError, ask: Ask) -> Answer:
        """The answer to a request whose tokens cannot be counted."""
        if self.explains:
            telling.tell_limit(ask.request, error)
        return refused(self.wire, error, ask)

    def account(self, context: SourceContext, given: Sequence[bytes]) -> Account | None:
        """The account of the client with the first of these keys, or of all clients without one; None if there are no
        rates."""
        if not self.rates or context.kept is None:
            return None
        client = given[0].hex() if given else ""
        return Account(
            self.rates, context.kept, context.request.key, f"{self.provider} {client}", context.clock.monotonic()
        )

    def needs(self, ask: Ask) -> dict[str, float]:
        """The numbers of the rates that a request needs."""
        if not self.is_counted:
            return {}
        tokens = 0
        if TOKENS in self.rates:
            tokens = (
                self.reader.prompt_tokens(ask)
                if self.reader is not None
                else count_words(text_in(ask.body.get(name)) for name in _TEXTS)
            )
        return {REQUESTS: 1, TOKENS: tokens}

    def told(self, account: Account, wall: float) -> dict[str, str]:
        """The headers that say what a client has left of its rates."""
        found = {}
        for kind, rate in self.rates.items():
            for names in getattr(self.wire.access, kind):
                found[names.limit] = str(rate.most)
                found[names.remaining] = str(account.left(kind))
                reset = self.wire.limit_reset(account.full_after_s(kind), wall) if names.reset else None
                if names.reset and reset is not None:
                    found[names.reset] = reset
        return found

    def spent(self, account: Account, kind: str, wait_s: float, requested: float, ask: Ask) -> Failure:
        """The error for a client that has not enough left of a rate."""
        access, most = self.wire.access, self.rates[kind].most
        is_hopeless = math.isinf(wait_s)
        # Rounded up, so that a client that waits as long as it is told is not too early.
        wait_s = 0.0 if is_hopeless else math.ceil(wait_s * 1000) / 1000
        words = access.too_large if is_hopeless else access.requests_spent if kind == REQUESTS else access.tokens_spent
        if self.explains:
            reason = f"it needs {requested:g}, and {account.left(kind)} of {most} are left"
            telling.tell_refused(ask.request, f"{_OPTIONS[kind]} {most}", reason)
        message = words.message.format(
            model=((self.reader or self.wire).model(ask) or self.wire.default_model)[:_SHOWN],
            limit=most,
            used=most - account.left(kind),
            requested=int(requested),
            wait=f"{wait_s:g}s" if wait_s >= 1 else f"{wait_s * 1000:.0f}ms",
            seconds=math.ceil(wait_s),
        )
        return Failure(429, message, words.type, retry_after=None if is_hopeless else wait_s, code=words.code)


class GatedSource(BaseSource):
    """A source behind a gate."""

    def __init__(self, gate: Gate, source: Source) -> None:
        self._gate = gate
        self._source = source
        self.default_delay_s = source.default_delay_s
        self.token_delay = source.token_delay
        self.headers = source.headers

    def open(self, context: SourceContext) -> Opened | Awaitable[Opened]:
        gate, ask = self._gate, Ask(context)
        given = digests_in(context.request, gate.carriers)
        if (words := gate.locked(given)) is not None:
            if gate.explains:
                telling.tell_refused(ask.request, "--require-key", f"it has {'another' if given else 'no'} key")
            return gate.unauthorized(words, ask)
        try:
            if (failure := gate.too_long(ask)) is not None:
                return refusal(gate.wire, failure, ask)
            account = gate.account(context, given)
            if account is not None:
                return self._counted(context, ask, account)
        except (Refused, RecursionError) as error:
            return gate.too_deep(error, ask)
        return self._source.open(context)

    def refusal(self, context: SourceContext, status: int, retry_after_s: float | None) -> Answer | None:
        refuses: Any = getattr(self._source, "refusal", None)
        answer: Answer | None = None if refuses is None else refuses(context, status, retry_after_s)
        return answer

    def error_events(self, context: SourceContext, type: str | None, message: str | None, sent: int) -> Sequence[Event]:
        reports: Any = getattr(self._source, "error_events", None)
        events: Sequence[Event] = () if reports is None else reports(context, type, message, sent)
        return events

    def _counted(self, context: SourceContext, ask: Ask, account: Account) -> Opened | Awaitable[Opened]:
        """The answer to a request that uses up rates. A HEAD asks only what a GET would get, so it uses none."""
        gate, wall = self._gate, context.clock.wall()
        needs = {} if context.request.method == "HEAD" else gate.needs(ask)
        if (lacking := account.lacking(needs)) is not None:
            kind, wait_s = lacking
            failure = gate.spent(account, kind, wait_s, needs[kind], ask)
            return refusal(gate.wire, failure, ask, gate.told(account, wall))
        if needs:
            account.use(needs)
            context = replace(context, meter=lambda tokens: account.use({TOKENS: tokens}))
        opened = self._source.open(context)
        if isinstance(opened, Awaitable) and inspect.isawaitable(opened):
            return self._awaited(opened, account, wall)
        return _with_headers(opened, gate.told(account, wall))

    async def _awaited(self, opening: Awaitable[Opened], account: Account, wall: float) -> Opened:
        opened = await opening
        return _with_headers(opened, self._gate.told(account, wall))


def _with_headers(opened: Opened, told: Mapping[str, str]) -> Opened:
    """The same answer with these headers, in place of others of the same names."""
    if isinstance(opened, Script):
        encoded = [(name.encode(), value.encode()) for name, value in told.items()]
        others = [header for header in opened.headers if header[0].decode() not in told]
        return replace(opened, headers=(*others, *encoded))
    if isinstance(opened, Answer):
        kept = [(name, value) for name, value in opened.headers if name.lower() not in told]
        return replace(opened, headers=(*kept, *told.items()))
    return opened
