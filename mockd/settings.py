"""Settings of a mockd process. The `MOCKD_…` variables, the options of `mockd serve` and the docs follow this table."""

# This module does not postpone its annotations: msgspec would have to compile each of them at every start.

import os
from collections.abc import Iterator, Mapping
from typing import Annotated, Any, Literal, Self

import msgspec
from msgspec import Meta, Struct

from mockd.errors import ConfigError

Port = Annotated[int, Meta(ge=0, le=65535)]
Wait = Annotated[float, Meta(ge=0, le=366 * 24 * 3600 * 1000.0)]


def _doc(text: str) -> Meta:
    return Meta(description=text)


class Settings(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """All settings of a process. The field `max_body` is the option `--max-body` and the variable `MOCKD_MAX_BODY`.

    A field that is true or false is an option without a value: `--watch`, or `--no-cors` if its default is true.
    """

    host: Annotated[str, _doc("Address of the mocks.")] = "127.0.0.1"
    port: Annotated[Port, _doc("Port of the mocks.")] = 4280
    admin_host: Annotated[str, _doc("Address of the admin API.")] = "127.0.0.1"
    admin_port: Annotated[Port, _doc("Port of the admin API; 0 puts it under /__mockd on the mock port.")] = 4290
    config: Annotated[
        tuple[str, ...], _doc("Configuration files, globs and directories; in the variable, joined as in PATH.")
    ] = ()
    watch: Annotated[bool, _doc("Apply configuration files and the preset's script again when they change.")] = False
    preset: Annotated[str | None, _doc("Preset, a set of mocks that comes with mockd; `mockd presets` lists them.")] = (
        None
    )
    preset_text: Annotated[str | None, _doc("Reply of the preset's mocks, instead of the last user message.")] = None
    preset_script: Annotated[
        str | None, _doc("File with a list of `{when, reply}` for the preset, JSON or YAML; the first match replies.")
    ] = None
    ttft: Annotated[Wait | None, _doc("Time from the head to the preset's first token, in milliseconds.")] = None
    itl: Annotated[Wait | None, _doc("Pause between the preset's tokens, in milliseconds.")] = None
    tokens_per_second: Annotated[
        Annotated[float, Meta(gt=0, le=1e6)] | None, _doc("The preset's tokens per second, instead of `--itl`.")
    ] = None
    state: Annotated[str | None, _doc("File that keeps the changes made through the admin API.")] = None
    files_root: Annotated[str | None, _doc("Folder for the data files of mocks from the admin API.")] = None
    cors: Annotated[
        bool, _doc("Whether pages of any origin may read the answers; a mock can refuse with `cors: false`.")
    ] = True
    max_body: Annotated[int, Meta(ge=0, description="Largest request body, in bytes.")] = 10 * 1024 * 1024
    max_connections: Annotated[int, Meta(ge=0, description="Most streams that are open at once; 0: no limit.")] = 0
    send_buffer: Annotated[
        int, Meta(ge=65536, description="Unsent bytes of a connection above which its stream waits for the client.")
    ] = 256 * 1024
    send_timeout: Annotated[
        float,
        Meta(
            ge=0,
            description="Longest time, in seconds, that a client may read nothing although data waits; 0: no limit.",
        ),
    ] = 60.0
    shutdown_timeout: Annotated[
        float, Meta(ge=0, le=3600, description="Time, in seconds, for streams to end when the server stops.")
    ] = 1.5
    max_sessions: Annotated[
        int, Meta(ge=1, description="Most resumable sessions of a mock; the oldest are forgotten first.")
    ] = 1000
    max_ended: Annotated[int, Meta(ge=0, description="Most ended connections that are remembered.")] = 1000
    seed: Annotated[
        int | None, _doc("Seed that makes placeholders, random delays and generators the same in every run.")
    ] = None
    api_key: Annotated[str | None, _doc("Key of the admin API; made by mockd if other machines can reach the API.")] = (
        None
    )
    admin_allow_host: Annotated[
        tuple[str, ...], _doc("Host names for the admin API, besides loopback names and its own address.")
    ] = ()
    tls_cert: Annotated[str | None, _doc("Certificate file (PEM) for HTTPS on the mock port.")] = None
    tls_key: Annotated[str | None, _doc("Key file (PEM) of the certificate.")] = None
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
            raise ConfigError(f"{spelling(name)}: {message}") from None


_LISTS = {"config": os.pathsep, "admin_allow_host": ","}


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


def describe() -> Iterator[tuple[str, str, Any]]:
    """Every setting as (name, meaning, default), in the order of the table."""
    hints = msgspec.inspect.type_info(Settings)
    assert isinstance(hints, msgspec.inspect.StructType)
    for field in hints.fields:
        meta = field.type
        text = ""
        if isinstance(meta, msgspec.inspect.Metadata):
            text = (meta.extra_json_schema or {}).get("description", "")
        yield field.name, text, field.default
