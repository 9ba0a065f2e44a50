"""The limits, in one table: the part of the page about security that `scripts/docs` writes.

A constant stays beside what it limits. Here it gets the words for users, and what happens beyond it.
"""

from __future__ import annotations

import importlib
from pathlib import Path
from typing import Any, NamedTuple

from mockd.settings import Settings, option
from scripts.reference.markdown import code, table

PAGE = Path(__file__).parents[2] / "docs" / "security.md"
BEGIN, END = "<!-- Limits: written by scripts/docs from scripts/reference/limits.py. -->", "<!-- End of the limits. -->"


class Limit(NamedTuple):
    """A limit, the setting (`max_body`) or constant (`mockd.expressions.expression:MOST_STEPS`) that it is, and what
    happens beyond it. `said` says it in words if mockd has no name for it."""

    what: str
    name: str
    beyond: str
    unit: str = ""
    said: str = ""


_REPLY = "the provider's own error, 400"
_FORGOTTEN = "the oldest are forgotten"

LIMITS = (
    Limit("body of a request", "max_body", "413", "bytes"),
    Limit("streams at once", "max_connections", "503 with `Retry-After`"),
    Limit("unsent data of a connection", "send_buffer", "the stream waits for its client", "bytes"),
    Limit("time in which a client reads nothing", "send_timeout", "the connection is cut off", "s"),
    Limit("time for streams to end at a stop", "shutdown_timeout", "they are cut off", "s"),
    Limit("time without a request on a connection", "mockd.server.run:_KEEP_ALIVE_S", "the connection is closed", "s"),
    Limit("time from the first byte of a request to its last", "request_timeout", "408", "s"),
    Limit("time from a new connection to its first byte", "", "the connection is closed", said="the same"),
    Limit("time for a TLS handshake", "asyncio.constants:SSL_HANDSHAKE_TIMEOUT", "the connection is closed", "s"),
    Limit("unfinished head of a request", "mockd.lines.protocol:MOST_UNFINISHED", "431", "bytes"),
    Limit(
        "pipelined requests of a connection",
        "mockd.lines.protocol:MOST_PIPELINED",
        "the connection is not read on until some are answered",
    ),
    Limit("sessions that can resume, of a mock", "max_sessions", _FORGOTTEN),
    Limit(
        "event ids that a mock remembers after their events are forgotten",
        "mockd.streaming.sessions.resume:MOST_REMEMBERED",
        _FORGOTTEN,
    ),
    Limit("characters of requests that these sessions hold", "mockd.streaming.sessions.resume:MOST_SAID", _FORGOTTEN),
    Limit("responses and conversations that are stored", "max_stored", _FORGOTTEN),
    Limit("size of all that is stored", "stored_bytes", _FORGOTTEN, "bytes"),
    Limit("ended streams in lists", "max_ended", _FORGOTTEN),
    Limit("clients whose use of rate limits is remembered", "mockd.keys.registry:MOST_ACCOUNTS", _FORGOTTEN),
    Limit("keys of requests for which anything is kept", "max_keys", "503 with `Retry-After`"),
    Limit(
        "time without use of a key that has neither live streams nor mocks of its own",
        "key_max_age",
        "it is forgotten",
        "s",
    ),
    Limit("holds of streams that stand at once", "max_holds", "503 with `Retry-After`"),
    Limit("time of a wait for streams", "mockd.admin.hand:LONGEST_WAIT_S", "refused", "s"),
    Limit("characters of a key", "mockd.keys.reading:LONGEST_KEY", "400"),
    Limit("lines for requests in the log", "mockd.server.requests:MOST_LINES", "the others are counted", "a second"),
    Limit("other messages in the log", "mockd.server.logs:MOST_RECORDS", "the others are counted", "a second"),
    Limit("lines of `--explain` in the log", "mockd.server.logs:MOST_ASKED_FOR", "the others are counted", "a second"),
    Limit("characters of a message in the log", "mockd.server.logs:MOST_OF_A_MESSAGE", "cut"),
    Limit(
        "open files",
        "",
        "said in the log once; the system refuses connections",
        said="those of the system (`ulimit -n`)",
    ),
    Limit(
        "time until a server is connected to which requests are relayed", "mockd.relay.connecting:CONNECT_S", "502", "s"
    ),
    Limit(
        "a recording that is held in memory",
        "mockd.sources.recording:MOST_SCRIPTED_BYTES",
        "read while it is played",
        "bytes",
    ),
    Limit("its chunks", "mockd.sources.recording:MOST_SCRIPTED_CHUNKS", "the same"),
    Limit("an event of it", "mockd.sources.recording:MOST_OF_EVENT", "each chunk is sent by itself", "bytes"),
    Limit("what is read ahead of a longer one", "mockd.sources.recording:AHEAD_BYTES", "read later", "bytes"),
    Limit("events that are read ahead", "mockd.sources.recording:AHEAD_EVENTS", "read later"),
    Limit("recorded answers to one request", "mockd.presets.recordings:MOST_ANSWERS", "left out"),
    Limit("head of its answer", "mockd.relay.upstream:MOST_OF_HEAD", "502", "bytes"),
    Limit("informational answers (1xx) before it", "mockd.relay.upstream:MOST_INFORMATIONAL", "502"),
    Limit(
        "time until it begins or goes on",
        "",
        "as long as the client waits for it: its connection to the server is closed when it leaves",
        said="none",
    ),
    Limit("a chunk of its answer", "mockd.relay.http1:MOST_OF_CHUNK", "passed on in several", "bytes"),
    Limit(
        "events of a chunk of it that faults and holds find one by one",
        "mockd.sources.blocks:MOST_APART",
        "those behind them are together",
    ),
    Limit(
        "what a server that speaks HTTP/2 may send before the client has taken what was before",
        "mockd.relay.http2:WINDOW",
        "the server waits",
        "bytes",
    ),
    Limit("frames of it that are held for the client", "mockd.relay.http2:MOST_EVENTS", "read later"),
    Limit(
        "time for which a connection to a server that takes nothing is still open at its end",
        "mockd.relay.connections:CLOSE_S",
        "it is reset",
        "s",
    ),
    Limit("time for which a chunk waits for its rest", "mockd.relay.http1:STALL_S", "passed on in several", "s"),
    Limit(
        "time for which a client that waits for `100 Continue` waits for its",
        "mockd.relay.upstream:CONTINUE_S",
        "mockd sends it",
        "s",
    ),
    Limit(
        "bytes of its answer that are held for a client that does not read",
        "mockd.streaming.sessions.session:LOOKAHEAD_BYTES",
        "no more is read",
        "bytes and a chunk",
    ),
    Limit("mocks on the page in a browser", "mockd.overview:MOST_MOCKS", "the others are counted"),
    Limit("nesting of a configuration", "mockd.config.values:MAX_DEPTH", "refused", "levels"),
    Limit("digits of an integer in a configuration", "mockd.config.values:MAX_DIGITS", "refused"),
    Limit("values for which the aliases of a YAML text stand", "mockd.config.yaml_text:MAX_EXPANSION", "refused"),
    Limit("problems that an answer lists", "mockd.errors:MAX_PROBLEMS", "the others are not listed"),
    Limit(
        "size of a configuration, a file of events, a script of replies, a state file",
        "mockd.config.opening:MOST_BYTES",
        "refused",
        "bytes",
    ),
    Limit(
        "a line of a `dataFile` that is sent by lines",
        "mockd.sources.files:LONGEST_LINE",
        "the body breaks off",
        "bytes",
    ),
    Limit("characters of a regular expression", "mockd.patterns.pattern:LONGEST_PATTERN", "refused"),
    Limit(
        "time in which it is searched which mock a request matches",
        "mockd.patterns.effort:LONGEST_SEARCH_S",
        "what is not tested does not match",
        "s",
    ),
    Limit("parts of a regular expression, with what it repeats", "mockd.patterns.dialects:MOST_PARTS", "refused"),
    Limit("values of a JSON body of more than 64 KiB", "mockd.request:MOST_VALUES", "it is taken as text"),
    Limit(
        "characters of a path that is likened to those of mocks",
        "mockd.matching.nearmiss:LONGEST_LIKENED",
        "404 without those that are only alike",
    ),
    Limit("steps of the expressions of a text", "mockd.expressions.expression:MOST_STEPS", "500"),
    Limit("characters that they make", "mockd.expressions.values:MOST_TEXT", "500"),
    Limit(
        "characters of all values that they make on the way there; an item of a list counts as 64",
        "mockd.expressions.values:MOST_MADE",
        "500",
    ),
    Limit(
        "characters of all texts with expressions in an answer", "mockd.expressions.expression:MOST_IN_ANSWER", "500"
    ),
    Limit("items of a list for filters such as `map` and `sort`", "mockd.expressions.values:MOST_ITEMS", "500"),
    Limit("characters in the tags of a text", "mockd.expressions.expression:MOST_IN_TAGS", "refused"),
    Limit("operators in the tags of a text", "mockd.expressions.expression:MOST_OPERATORS", "refused"),
    Limit(
        "characters of a model's reply that are taken from the request: an echo, structured output, an expression",
        "mockd.sources.llm.budget:LONGEST_TEXT",
        _REPLY,
    ),
    Limit(
        "tokens of a model's reply, in all of its choices; each log probability is one more",
        "mockd.sources.llm.budget:MOST_EVENTS",
        _REPLY,
    ),
    Limit(
        "characters of a model's reply, in all of its choices, with its log probabilities",
        "mockd.sources.llm.budget:MOST_CHARACTERS",
        _REPLY,
    ),
    Limit(
        "characters of one token's event, with its log probabilities", "mockd.sources.llm.budget:LARGEST_EVENT", _REPLY
    ),
    Limit(
        "numbers of all embeddings of an answer, such as 2,048 vectors of 1,536",
        "mockd.sources.llm.budget:MOST_NUMBERS",
        _REPLY,
    ),
    Limit(
        "size of a JSON schema or a grammar in a request", "mockd.sources.llm.budget:LONGEST_SCHEMA", _REPLY, "bytes"
    ),
    Limit("characters of each pattern in it", "mockd.sources.llm.budget:LONGEST_PATTERN", _REPLY),
    Limit("steps in which a value for it is made", "mockd.sources.llm.budget:MOST_STEPS", _REPLY),
    Limit("characters of a model's name", "mockd.sources.llm.budget:LONGEST_MODEL", _REPLY),
    Limit("nesting of a message's contents", "mockd.sources.llm.budget:MOST_NESTED", _REPLY, "levels"),
    Limit(
        "characters of a type in the `parameter_definitions` of a tool (Cohere v1)",
        "mockd.sources.llm.wires.cohere_chat_v1:_LONGEST_TYPE",
        _REPLY,
    ),
    Limit(
        "messages, calls and results in the stored responses, or the conversation, from which a request goes on; "
        "references to stored items",
        "mockd.sources.llm.budget:MOST_EARLIER",
        "the last are seen",
    ),
    Limit(
        "characters in the stored responses from which a request goes on, or in the items to which it refers",
        "mockd.sources.llm.budget:LONGEST_EARLIER",
        "the last are seen",
    ),
    Limit("time that a fault waits for a client to read", "fault_timeout", "the connection is broken off all the same"),
    Limit("bytes that a fault makes up", "max_fault_bytes", "refused", "bytes"),
    Limit("padding before an event", "mockd.config.framing:MOST_PADDING", "refused", "bytes"),
    Limit("empty lines between two events", "mockd.config.framing:MOST_EMPTY_LINES", "refused"),
    Limit("bytes of events that are sent together", "mockd.config.framing:MOST_TOGETHER", "refused", "bytes"),
    Limit("offsets of a split", "mockd.config.framing:MOST_SPLITS", "refused"),
    Limit(
        "bytes that wait for a border of a chunk",
        "mockd.streaming.cursors.chunks:MOST_GATHERED",
        "they are a chunk of their own",
        "bytes",
    ),
    Limit(
        "pieces of a stream with a framing that are made in advance",
        "mockd.streaming.varying:MOST_PIECES",
        "they are made for each stream",
    ),
    Limit("size of these pieces", "mockd.streaming.varying:MOST_PIECE_BYTES", "the same", "bytes"),
    Limit(
        "what is made in advance of a client that does not read, to see whether the place of a break is due",
        "mockd.faults.ahead:MOST_BYTES",
        "a place behind it waits for `--send-timeout`",
        "bytes",
    ),
    Limit(
        "writes that are made in advance for a place in wire bytes",
        "mockd.faults.wire:MOST_AHEAD",
        "a place behind them waits for `--send-timeout`",
    ),
    Limit("faults of a mock or a header", "mockd.config.fault_lines:MOST_FAULTS", "refused"),
    Limit("faults among them that duplicate events", "mockd.config.fault_lines:MOST_DUPLICATES", "refused"),
    Limit("characters of a fault in a line or header", "mockd.config.fault_lines:LONGEST_LINE", "refused"),
    Limit("requests in the journal", "journal", "the oldest are let go of"),
    Limit("size of all of them", "journal_bytes", "the oldest are let go of", "bytes"),
    Limit("size of a request's body in the journal", "body_limit", "cut", "bytes"),
    Limit("clients that follow the live feed at once; that watch streams", "max_subscribers", "503 with `Retry-After`"),
    Limit("events that it keeps for those who are behind", "mockd.journal.feed:MOST_EVENTS", "they are told how many"),
    Limit("characters of a path in its events", "mockd.journal.feed:MOST_OF_A_PATH", "cut"),
    Limit("characters of what it says of a near miss", "mockd.journal.feed:MOST_OF_A_REASON", "cut"),
    Limit("events of a stream that are kept for one who watches", "mockd.hand.watches:MOST_KEPT", "told how many more"),
    Limit("bytes of an event that one who watches sees", "mockd.hand.watches:MOST_SHOWN", "cut"),
    Limit("mocks that metrics name", "mockd.journal.metrics:MOST_MOCKS", "the others are `other`"),
    Limit("clients of the admin API that wait at once", "max_waits", "503 with `Retry-After`"),
    Limit("time of a wait for requests", "mockd.config.verification:LONGEST_WAIT_S", "refused", "s"),
    Limit("requests of an order that is verified", "mockd.config.verification:MOST_IN_ORDER", "refused"),
    Limit(
        "time in which requests are searched to verify something",
        "mockd.judging.claims:LONGEST_LOOK_S",
        "it cannot be known: `ok` is null",
        "s",
    ),
    Limit("output of a command under torture", "mockd.torture.command:MOST_OUTPUT", "the command is ended", "bytes"),
    Limit(
        "size of a running stream that is read for it",
        "mockd.torture.source:MOST_BYTES",
        "the rest is left out",
        "bytes",
    ),
    Limit("a line of a recording", "mockd.recordings.reading:LONGEST_LINE", "left out, and said", "bytes"),
    Limit(
        "a body in a content coding that is held back until it is known whether a secret is in it",
        "mockd.recordings.bodies:MOST_HELD",
        "it is recorded decoded",
        "bytes",
    ),
    Limit(
        "what a recorded body in a content coding decodes to",
        "mockd.recordings.codings:MOST_DECODED",
        "the rest is not recorded",
        "bytes",
    ),
    Limit(
        "credentials of an exchange that are looked for in the rest of it too",
        "mockd.recordings.needles:MOST_LEARNED",
        "only their values are taken out",
    ),
    Limit(
        "an object that is held back until it is known whether it is the JSON schema of a credential",
        "mockd.recordings.member_values:MOST_OF_SCHEMA",
        "what is in it is taken out",
        "bytes",
    ),
    Limit(
        "a credential with a name that is looked for in the rest of a recording too",
        "mockd.recordings.members:_LONGEST_LEARNED",
        "only its value is taken out",
        "bytes",
    ),
    Limit("replies that a mock of a model keeps to send them again", "mockd.program.plan:MOST_SCRIPTS", _FORGOTTEN),
    Limit("size of these replies", "mockd.program.plan:MOST_SCRIPT_BYTES", _FORGOTTEN, "bytes"),
)


def page() -> str:
    """The page about security, its table of limits written anew."""
    before, _, rest = PAGE.read_text(encoding="utf-8").partition(BEGIN)
    _, _, after = rest.partition(END)
    return f"{before}{BEGIN}\n\n{_table()}\n\n{END}{after}"


def _table() -> str:
    rows = [(limit.what, _said(limit), limit.beyond) for limit in LIMITS]
    return table(("What", "Limit", "Beyond it"), rows)


def _said(limit: Limit) -> str:
    """What the limit is, and the option that sets it if there is one."""
    if limit.said:
        return limit.said
    module, _, name = limit.name.rpartition(":")
    if module:
        return _in_words(getattr(importlib.import_module(module), name), limit.unit)
    value = getattr(Settings(), name)
    return f"{_in_words(value, limit.unit) if value else 'none'}, {code(option(name))}"


def _in_words(value: Any, unit: str) -> str:
    if unit != "bytes":
        return f"{value:,} {unit}".rstrip() if isinstance(value, int) else f"{value:g} {unit}"
    return f"{value // 2**20} MiB" if value % 2**20 == 0 else f"{value // 2**10} KiB"
