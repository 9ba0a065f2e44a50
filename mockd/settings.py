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
        _doc("Name of a list of faults, for mocks without a profile of their own; see `mockd faults`."),
    ] = None
    allow_fault_header: Annotated[bool, _doc("Let requests say faults of their own in the header `X-Mockd-Fault`.")] = (
        False
    )
    cors: Annotated[
        bool,
        _doc("Whether pages of other origins may read the answers (CORS). A mock can refuse that for itself."),
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
    ttft: Annotated[Milliseconds | None, _doc("Time from the head to the preset's first token, in milliseconds.")] = (
        None
    )
    itl: Annotated[Milliseconds | None, _doc("Pause between the preset's tokens, in milliseconds.")] = None
    tokens_per_second: Annotated[
        Annotated[float, Meta(gt=0, le=1e6)] | None, _doc("The preset's tokens per second, instead of `--itl`.")
    ] = None
    key_header: Annotated[
        Annotated[str, _called("NAME")],
        _doc("Name of the header that has the key of a request; empty: none."),
    ] = "X-Mockd-Key"
    key_path: Annotated[
        bool, _doc("Whether a first segment `~KEY` of a path is the key of a request, and not part of the path.")
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
            description="Longest time, in seconds, that a fault waits for the client to read what was sent before it.",
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
    max_subscribers: Annotated[int, Meta(ge=0, description="Most clients that follow the live feed at once.")] = 100
    max_holds: Annotated[
        int, Meta(ge=0, description="Most holds of streams that stand at once, over all keys; 503 above it.")
    ] = 10_000
    max_waits: Annotated[
        int, Meta(ge=0, description="Most requests to the admin API that wait at once; 503 above it.")
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
        if self.admin_allow_host:
            self._check_hosts()
        for origin in self.admin_allow_origin:
            if not re.fullmatch(r"https?://[^/?#\s*@]+", origin):
                raise ConfigError(
                    f"{spelling('admin_allow_origin')}: {origin!r} is no origin",
                    hint="write scheme, host and port as the browser does, as in http://localhost:3000, without a path",
                )
        if self.key_header and not re.fullmatch(_HEADER_NAME, self.key_header):
            raise ConfigError(f"{spelling('key_header')}: {self.key_header!r} is no name of a header")
        if self.key_required and not (self.key_header or self.key_path):
            raise ConfigError(
                f"{spelling('key_required')}: no request can have a key",
                hint=f"name a header with {option('key_header')}, or leave out {option('key_path')}",
            )

    def _check_hosts(self) -> None:
        from mockd.addresses import allowed_host

        for host in self.admin_allow_host:
            if allowed_host(host) is None:
                raise ConfigError(
                    f"{spelling('admin_allow_host')}: {host!r} is no host name or address",
                    hint="write it without scheme and path, as in mocks.test or 192.0.2.7; every port is allowed, and "
                    "nothing stands for several names",
                )

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
        known = [value for part in (wanted, *get_args(wanted)) for value in get_args(part) if isinstance(value, str)]
        return f"{given!r} is not one of {', '.join(known)}"
    match = re.match(r"Expected `(?P<kind>\w+)[^`]*`(?P<bound> [<>]=? [-\d.]+)?", message)
    if match is None or match["kind"] not in _KINDS:
        return message
    return f"expected {_KINDS[match['kind']]}{match['bound'] or ''}, got {given!r}"


_LISTS = {"config": os.pathsep, "admin_allow_host": ",", "admin_allow_origin": ","}


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
    return tuple(filter(None, text.split(_LISTS[name]))) if name in _LISTS else text


GROUPS = {
    "host": "Addresses",
    "config": "Mocks",
    "preset": "Preset",
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
