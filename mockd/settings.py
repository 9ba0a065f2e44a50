"""Settings of a mockd process. The `MOCKD_…` variables, the options of `mockd serve` and the docs follow this table."""

# This module does not postpone its annotations: msgspec would have to compile each of them at every start.

import os
import re
from collections.abc import Iterator, Mapping
from typing import Annotated, Any, Literal, Self, get_args

import msgspec
from msgspec import Meta, Struct, inspect

from mockd.errors import ConfigError


def _called(metavar: str) -> Meta:
    return Meta(extra={"metavar": metavar})


_HEADER_NAME = r"[!#$%&'*+.^_`|~0-9A-Za-z-]+"

Host = Annotated[str, _called("HOST")]
Port = Annotated[int, Meta(ge=0, le=65535), _called("PORT")]
File = Annotated[str, _called("FILE")]
Bytes = Annotated[int, _called("BYTES")]
Seconds = Annotated[float, _called("SECONDS")]
Milliseconds = Annotated[float, Meta(ge=0, le=366 * 24 * 3600 * 1000.0), _called("MS")]


def _doc(text: str) -> Meta:
    return Meta(description=text)


class Settings(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """All settings of a process. The field `max_body` is the option `--max-body` and the variable `MOCKD_MAX_BODY`.

    A field that is true or false is an option without a value: `--watch`, or `--no-cors` if its default is true.
    """

    host: Annotated[Host, _doc("Address of the mocks.")] = "127.0.0.1"
    port: Annotated[Port, _doc("Port of the mocks.")] = 4280
    admin_host: Annotated[Host, _doc("Address of the admin API.")] = "127.0.0.1"
    admin_port: Annotated[Port, _doc("Port of the admin API; 0 puts it under /__mockd on the mock port.")] = 4290
    config: Annotated[
        tuple[File, ...], _doc("Configuration files, globs and directories; in the variable, joined as in PATH.")
    ] = ()
    watch: Annotated[bool, _doc("Apply configuration files and the preset's script again when they change.")] = False
    state: Annotated[File | None, _doc("File that keeps the changes made through the admin API.")] = None
    files_root: Annotated[
        Annotated[str, _called("FOLDER")] | None, _doc("Folder for the data files of mocks from the admin API.")
    ] = None
    profile: Annotated[
        str | None,
        _doc("Name of a list of faults and framings, for mocks without a profile of their own; see `mockd faults`."),
    ] = None
    torture: Annotated[
        File | None,
        _doc("Mock `FILE#ID` of which every variant is served under a key of its own; `GET /torture` lists them."),
    ] = None
    allow_fault_header: Annotated[bool, _doc("Let requests say faults of their own in the header `X-Mockd-Fault`.")] = (
        False
    )
    cors: Annotated[
        bool,
        _doc(
            "Whether pages of other origins may read the answers (CORS); `--no-cors` turns that off. A mock can refuse "
            "it for itself."
        ),
    ] = True
    seed: Annotated[
        int | None, _doc("Seed that makes placeholders, random delays and generators the same in every run.")
    ] = None
    preset: Annotated[
        Annotated[str, _called("NAME")] | None,
        _doc("Preset, a set of mocks that comes with mockd; `mockd presets` lists them."),
    ] = None
    preset_text: Annotated[
        Annotated[str, _called("TEXT")] | None, _doc("Reply of the preset's mocks, instead of the last user message.")
    ] = None
    preset_script: Annotated[
        File | None, _doc("File with a list of `{when, reply}` for the preset, JSON or YAML; the first match replies.")
    ] = None
    auto_tools: Annotated[
        bool, _doc("Let the preset call each tool that a request offers once, with example arguments.")
    ] = False
    side_calls: Annotated[
        bool,
        _doc(
            "Whether the preset answers the known side calls of agents, such as titles, apart from its script; "
            "`--no-side-calls` turns that off."
        ),
    ] = True
    explain: Annotated[
        bool,
        _doc("Log for each request which entry of the preset's script answers it and why, or what refuses it."),
    ] = False
    ttft: Annotated[Milliseconds | None, _doc("Time from the head to the preset's first token, in milliseconds.")] = (
        None
    )
    itl: Annotated[Milliseconds | None, _doc("Pause between the preset's tokens, in milliseconds.")] = None
    tokens_per_second: Annotated[
        Annotated[float, Meta(gt=0, le=1e6)] | None, _doc("The preset's tokens per second, instead of `--itl`.")
    ] = None
    require_key: Annotated[
        tuple[Annotated[str, _called("KEY")], ...],
        _doc("Key that the preset's requests need, as each provider's clients send it; several are possible."),
    ] = ()
    rpm: Annotated[
        Annotated[int, Meta(ge=1, le=1_000_000_000)] | None,
        _doc("Requests per minute that each client may send to each of the preset's providers; by default any number."),
    ] = None
    tpm: Annotated[
        Annotated[int, Meta(ge=1, le=1_000_000_000)] | None,
        _doc("Tokens per minute, of requests and replies, that each client may use of each of the preset's providers."),
    ] = None
    context_window: Annotated[
        Annotated[int, Meta(ge=1, le=1_000_000_000)] | None,
        _doc("Most tokens of a request to one of the preset's models; a longer one gets the provider's own 400."),
    ] = None
    proxy: Annotated[
        tuple[Annotated[str, _called("URL")], ...],
        _doc("Server to which everything goes that no mock answers; `/prefix=URL` for what is below a prefix."),
    ] = ()
    proxy_allow: Annotated[
        tuple[Annotated[str, _called("URL")], ...],
        _doc("Servers to which mocks from the admin API may relay, besides those of `--proxy`."),
    ] = ()
    proxy_allow_host: Annotated[
        tuple[Host, ...], _doc("Host names of requests that are relayed, besides loopback names and its own address.")
    ] = ()
    proxy_allow_origin: Annotated[
        tuple[Annotated[str, _called("ORIGIN")], ...], _doc("Origins whose pages may send requests that are relayed.")
    ] = ()
    accept_encoding: Annotated[
        Literal["identity", "client"],
        _doc("Content codings that servers are asked for: none, or those that the client asks for."),
    ] = "identity"
    upstream_proxy: Annotated[
        Annotated[str, _called("URL")] | None,
        _doc(
            "Proxy by way of which servers are reached, with user and password if it wants them: "
            "`http://user:password@host:3128`. Variables such as `HTTPS_PROXY` have no effect."
        ),
    ] = None
    ca: Annotated[File | None, _doc("Certificates (PEM) of authorities that are trusted, instead of the system's.")] = (
        None
    )
    insecure: Annotated[bool, _doc("Relay to servers whatever their certificates say.")] = False
    http2: Annotated[
        bool, _doc("Speak HTTP/2 with servers that speak it over TLS; it needs `mockd[http2]`. Otherwise HTTP/1.1.")
    ] = False
    record: Annotated[
        Annotated[str, _called("FOLDER")] | None, _doc("Folder into which relayed exchanges are recorded.")
    ] = None
    record_mode: Annotated[
        Literal["once", "new", "all", "none"] | None,
        _doc(
            "What is recorded: `once` (the default), if the folder has no recordings yet, and otherwise nothing new is "
            "relayed; `new`, what it does not have; `all`, everything, and nothing is replayed; `none`, nothing."
        ),
    ] = None
    match: Annotated[
        Annotated[str, _called("PARTS")],
        _doc("Parts in which a request must be like a recorded one, of `method`, `path`, `query` and `body` (JSON)."),
    ] = "method,path,query,body"
    ignore_body: Annotated[
        tuple[Annotated[str, _called("JSONPATH")], ...],
        _doc("Members of a JSON body that are not compared with the recorded ones, such as `$.stream_options`."),
    ] = ()
    only: Annotated[
        tuple[Annotated[str, _called("PATH")], ...],
        _doc("Paths that are recorded, with `*` for any characters; by default all."),
    ] = ()
    skip: Annotated[tuple[Annotated[str, _called("PATH")], ...], _doc("Paths that are relayed and not recorded.")] = ()
    max_bytes: Annotated[
        Bytes, Meta(ge=0, description="Most that is recorded of the bodies of an exchange, in bytes; 0: no limit.")
    ] = 0
    redact: Annotated[
        tuple[Annotated[str, _called("TEXT")], ...], _doc("Values that no recording has, besides credentials.")
    ] = ()
    redact_env: Annotated[
        tuple[Annotated[str, _called("NAME")], ...], _doc("Environment variables whose values no recording has.")
    ] = ()
    redact_pattern: Annotated[
        tuple[Annotated[str, _called("REGEX")], ...], _doc("Regular expressions of values that no recording has.")
    ] = ()
    key_header: Annotated[
        Annotated[str, _called("NAME")],
        _doc("Name of the header that has the key of a request; empty: none."),
    ] = "X-Mockd-Key"
    key_path: Annotated[
        bool,
        _doc(
            "Whether a first segment `~KEY` of a path is the key of a request, and not part of the path; "
            "`--no-key-path` turns that off."
        ),
    ] = True
    key_required: Annotated[bool, _doc("Refuse requests without a key.")] = False
    identify: Annotated[bool, _doc("Send the ID of its connection with every answer, in `X-Mockd-Connection`.")] = False
    max_body: Annotated[Bytes, Meta(ge=0, description="Largest request body, in bytes.")] = 10 * 1024 * 1024
    max_connections: Annotated[int, Meta(ge=0, description="Most streams that are open at once; 0: no limit.")] = 0
    request_timeout: Annotated[
        Seconds,
        Meta(
            ge=0,
            le=366 * 24 * 3600,
            description="Longest time, in seconds, from the first byte of a request to its last, and from a new "
            "connection to its first byte; 0: no limit.",
        ),
    ] = 30.0
    send_buffer: Annotated[
        Bytes,
        Meta(
            ge=65536,
            description="Unsent data of a connection, in bytes, above which its stream waits for the client.",
        ),
    ] = 256 * 1024
    send_timeout: Annotated[
        Seconds,
        Meta(
            ge=0,
            description="Longest time, in seconds, that a client may read nothing although data waits; 0: no limit.",
        ),
    ] = 60.0
    fault_timeout: Annotated[
        Seconds,
        Meta(
            ge=0,
            le=3600,
            description="Longest time, in seconds, that a client may read nothing of what comes before a fault.",
        ),
    ] = 5.0
    max_fault_bytes: Annotated[
        Bytes, Meta(ge=0, description="Most that one fault may make up, such as a `hugeEvent`, in bytes.")
    ] = 16 * 1024 * 1024
    shutdown_timeout: Annotated[
        Seconds, Meta(ge=0, le=3600, description="Time, in seconds, for streams to end when the server stops.")
    ] = 1.5
    max_sessions: Annotated[
        int, Meta(ge=1, description="Most resumable sessions of a mock; the oldest are forgotten first.")
    ] = 1000
    max_stored: Annotated[
        int,
        Meta(ge=1, description="Most responses and conversations that are stored; the oldest are forgotten first."),
    ] = 1000
    stored_bytes: Annotated[
        Bytes, Meta(ge=0, description="Size of all of them, in bytes; the oldest are forgotten first.")
    ] = 16 * 1024 * 1024
    max_ended: Annotated[int, Meta(ge=0, description="Most ended connections that are remembered.")] = 1000
    key_max_age: Annotated[
        Seconds,
        Meta(
            ge=0,
            le=366 * 24 * 3600,
            description="Time, in seconds, after its last use at which a key without streams and mocks of its own is "
            "forgotten.",
        ),
    ] = 3600.0
    max_keys: Annotated[
        int, Meta(ge=1, description="Most keys that are remembered; a new one that needs it is refused with 503.")
    ] = 10_000
    max_subscribers: Annotated[
        int, Meta(ge=0, description="Most clients that follow the live feed at once, and most that watch streams.")
    ] = 100
    max_holds: Annotated[
        int, Meta(ge=0, description="Most holds of streams that stand at once, over all keys; 503 above it.")
    ] = 10_000
    max_waits: Annotated[
        int,
        Meta(
            ge=0,
            description="Most requests to the admin API that wait for streams at once, and most that wait in `POST "
            "/verify`; 503 above it.",
        ),
    ] = 10_000
    journal: Annotated[
        int, Meta(ge=0, description="Most requests in the journal; the oldest are let go of first; 0: no journal.")
    ] = 1000
    journal_bytes: Annotated[
        Bytes, Meta(ge=0, description="Size of all requests in the journal, in bytes; the oldest are let go of first.")
    ] = 16 * 1024 * 1024
    body_limit: Annotated[
        Bytes, Meta(ge=0, description="Size, in bytes, up to which the journal keeps the body of a request.")
    ] = 64 * 1024
    journal_secrets: Annotated[
        bool, _doc("Keep credentials in the journal as they are. Otherwise hashes stand for them.")
    ] = False
    api_key: Annotated[
        Annotated[str, _called("KEY")] | None,
        _doc("Key of the admin API; made by mockd if other machines can reach the API."),
    ] = None
    admin_allow_host: Annotated[
        tuple[Host, ...], _doc("Host names for the admin API, besides loopback names and its own address.")
    ] = ()
    admin_allow_origin: Annotated[
        tuple[Annotated[str, _called("ORIGIN")], ...],
        _doc("Origins whose pages may use the admin API, such as a test runner's in a browser."),
    ] = ()
    metrics_port: Annotated[
        Port,
        _doc(
            "Port of a page with the metrics alone, on the mocks' address and without a key; 0: none. With it, they "
            "are counted from the start; otherwise when first asked for, with the requests in the journal."
        ),
    ] = 0
    tls_cert: Annotated[
        File | None,
        _doc(
            "Certificate (PEM) for HTTPS, on the admin port too if others can reach it; with `--tls-key`, unless "
            "it has the key too."
        ),
    ] = None
    tls_key: Annotated[File | None, _doc("Key (PEM) of the certificate; with `--tls-cert`.")] = None
    log_level: Annotated[
        Literal["critical", "error", "warning", "info", "debug"],
        _doc(
            "Lowest level that is logged: `critical`, `error`, `warning`, `info` (requests and reloads too) or `debug` "
            "(tracebacks of sources and plug-ins too)."
        ),
    ] = "info"
    log_format: Annotated[
        Literal["text", "json"], _doc("Format of the log: `text`, or `json`, an object on each line.")
    ] = "text"
    quiet: Annotated[bool, _doc("Log no requests.")] = False
    workers: Annotated[
        int, Meta(ge=1, description="Number of processes; only 1 is possible, as each process has its own state.")
    ] = 1

    def __post_init__(self) -> None:
        for name in ("admin_allow_host", "proxy_allow_host"):
            if getattr(self, name):
                self._check_hosts(name)
        for name in ("admin_allow_origin", "proxy_allow_origin"):
            self._check_origins(name)
        if self.proxy or self.proxy_allow or self.upstream_proxy is not None:
            self._check_targets()
        if unknown := set(map(str.strip, self.match.split(","))) - set(_PARTS):
            raise ConfigError(f"{spelling('match')}: {min(unknown)!r} is not one of {', '.join(_PARTS)}")
        for name in _OF_RECORDINGS:
            if getattr(self, name) and self.record is None:
                raise ConfigError(
                    f"{spelling(name)}: nothing is recorded", hint=f"name a folder with {option('record')}"
                )
        for name in _NAMES_OF_FILES:
            if getattr(self, name) == "":
                raise ConfigError(f"{spelling(name)}: the name is empty", hint="give one, or leave the option out")
        for name in ("only", "skip"):
            for path in getattr(self, name):
                if not path.startswith(("/", "*")):
                    raise ConfigError(f"{spelling(name)}: {path!r} does not start with `/` or `*`, as all paths do")
        if self.key_header and not re.fullmatch(_HEADER_NAME, self.key_header):
            raise ConfigError(f"{spelling('key_header')}: {self.key_header!r} is no name of a header")
        if any(not (key.isascii() and key.isprintable() and key.strip() == key != "") for key in self.require_key):
            raise ConfigError(
                f"{spelling('require_key')}: a key is empty, or has characters that no header can carry",
                hint="use letters, digits and punctuation of ASCII, without blanks at its ends",
            )
        if self.key_required and not (self.key_header or self.key_path):
            raise ConfigError(
                f"{spelling('key_required')}: no request can have a key",
                hint=f"name a header with {option('key_header')}, or leave out {option('key_path')}",
            )

    def _check_hosts(self, name: str) -> None:
        from mockd.addresses import allowed_host

        for host in getattr(self, name):
            if allowed_host(host) is None:
                raise ConfigError(
                    f"{spelling(name)}: {host!r} is no host name or address",
                    hint="write it without scheme and path, as in mocks.test or 192.0.2.7; every port is allowed, and "
                    "nothing stands for several names",
                )

    def _check_origins(self, name: str) -> None:
        for origin in getattr(self, name):
            if not re.fullmatch(r"https?://[^/?#\s*@]+", origin):
                raise ConfigError(
                    f"{spelling(name)}: {origin!r} is no origin",
                    hint="write scheme, host and port as the browser does, as in http://localhost:3000, without a path",
                )

    def _check_targets(self) -> None:
        from mockd.targets import Proxy, Route, Target

        for name, read in (("proxy", Route.read), ("proxy_allow", Target.read)):
            for text in getattr(self, name):
                try:
                    read(text)
                except ValueError as error:
                    raise ConfigError(f"{spelling(name)}: {error}") from None
        if self.upstream_proxy is not None:
            try:
                Proxy.read(self.upstream_proxy)
            except ValueError as error:
                raise ConfigError(f"{spelling('upstream_proxy')}: {error}") from None
        prefixes = [Route.read(text).prefix for text in self.proxy]
        for prefix in prefixes:
            if prefixes.count(prefix) > 1:
                raise ConfigError(f"{spelling('proxy')}: two servers for {prefix or 'all paths'!r}")

    @classmethod
    def from_env(cls, environ: Mapping[str, str] | None = None, **given: Any) -> Self:
        """Settings from `MOCKD_…` variables. Values in `given` that are not None win over them.

        Raises `ConfigError` with the name of the option and variable, and the values that it takes.
        """
        environ = os.environ if environ is None else environ
        values: dict[str, Any] = {}
        for name in cls.__struct_fields__:
            if given.get(name) is not None:
                values[name] = given[name]
            elif text := environ.get(env_name(name)):
                values[name] = _from_text(name, text)
        try:
            return msgspec.convert(values, cls, strict=False)
        except msgspec.ValidationError as error:
            message, _, place = str(error).rpartition(" - at `$.")
            name = place.rstrip("`").partition("[")[0]
            raise ConfigError(
                f"{spelling(name)}: {_in_words(message, cls.__annotations__[name], values[name])}"
            ) from None


_KINDS = {"int": "a whole number", "float": "a number", "bool": "true or false"}


def _in_words(message: str, wanted: Any, given: Any) -> str:
    """What msgspec says of a value, in words, with the value and what could be there instead."""
    if message.startswith("Invalid enum value"):
        return f"{given!r} is not one of {', '.join(_words_in(wanted))}"
    match = re.match(r"Expected `(?P<kind>\w+)[^`]*`(?P<bound> [<>]=? [-\d.]+)?", message)
    if match is None or match["kind"] not in _KINDS:
        return message
    return f"expected {_KINDS[match['kind']]}{match['bound'] or ''}, got {given!r}"


def _words_in(wanted: Any) -> Iterator[str]:
    """The words that a type allows."""
    if isinstance(wanted, str):
        yield wanted
    for part in get_args(wanted):
        yield from _words_in(part)


_OF_RECORDINGS = ("record_mode", "only", "skip", "max_bytes", "redact", "redact_env", "redact_pattern")
"""Settings that mean nothing without a folder for recordings."""

_NAMES_OF_FILES = ("state", "files_root", "torture", "preset_script", "ca", "record", "tls_cert", "tls_key")
"""Settings that name a file or a folder, which the empty name of a shell's unset variable is not."""

_PARTS = ("method", "path", "query", "body")
"""Parts of a request in which it may be like a recorded one."""

_PATHS = frozenset({"config"})
"""Lists whose values are joined in a variable as those of PATH are; those of others are joined by commas."""


def env_name(name: str) -> str:
    """The environment variable of a setting."""
    return "MOCKD_" + name.upper()


def option(name: str) -> str:
    """The option of `mockd serve` for a setting: `--max-body`, or `--no-cors` if the option turns the setting off."""
    default = dict(zip(Settings.__struct_fields__, Settings.__struct_defaults__, strict=True))[name]
    return ("--no-" if default is True else "--") + name.replace("_", "-")


def spelling(name: str) -> str:
    """The names of a setting that users know: its option and its variable."""
    return f"{option(name)} ({env_name(name)})"


def _from_text(name: str, text: str) -> Any:
    default = dict(zip(Settings.__struct_fields__, Settings.__struct_defaults__, strict=True))[name]
    if default != ():
        return text
    return tuple(filter(None, text.split(os.pathsep if name in _PATHS else ",")))


GROUPS = {
    "host": "Addresses",
    "config": "Mocks",
    "preset": "Preset",
    "proxy": "Relaying and recording",
    "key_header": "Keys of parallel tests",
    "max_body": "Limits",
    "journal": "Journal",
    "api_key": "Access to the admin API",
    "tls_cert": "HTTPS",
    "log_level": "Log and process",
}
"""The headings under which settings are listed, each by the first setting below it."""


class Described(Struct, frozen=True):
    """A setting in words. `metavar` stands for its value, and is empty if its option takes none."""

    name: str
    meaning: str
    default: Any
    metavar: str
    group: str


def describe() -> Iterator[Described]:
    """Every setting, in the order of the table."""
    hints = inspect.type_info(Settings)
    assert isinstance(hints, inspect.StructType)
    group = ""
    for field in hints.fields:
        group = GROUPS.get(field.name, group)
        meta = field.type
        text = (meta.extra_json_schema or {}).get("description", "") if isinstance(meta, inspect.Metadata) else ""
        metavar = "" if isinstance(field.default, bool) else _metavar(meta)
        yield Described(field.name, text, field.default, metavar, group)


def _metavar(node: Any) -> str:
    """The word for a value of a type: its own, its choices, or N for a number."""
    if isinstance(node, inspect.Metadata):
        return (node.extra or {}).get("metavar") or _metavar(node.type)
    if isinstance(node, inspect.LiteralType):
        return "|".join(map(str, node.values))
    if isinstance(node, inspect.VarTupleType):
        return _metavar(node.item_type)
    if isinstance(node, inspect.UnionType):
        return _metavar(next(part for part in node.types if not isinstance(part, inspect.NoneType)))
    return "N"
