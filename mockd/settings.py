"""Settings of a mockd process. This one table drives `MOCKD_…` variables, the options of `mockd serve` and the docs."""

# Annotations are not texts here, as they are elsewhere: msgspec would have to compile each of them at every start.

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
    """Everything that can be set about a process; field `max_body` is `--max-body` and `MOCKD_MAX_BODY`.

    Fields that are true or false are options without a value: `--watch`, and `--no-cors` of one that is true.
    """

    host: Annotated[str, _doc("Address the mocks are served on.")] = "127.0.0.1"
    port: Annotated[Port, _doc("Port the mocks are served on.")] = 4280
    admin_host: Annotated[str, _doc("Address of the admin API.")] = "127.0.0.1"
    admin_port: Annotated[Port, _doc("Port of the admin API; 0 puts it under /__mockd on the mock port.")] = 4290
    config: Annotated[
        tuple[str, ...], _doc("Configuration files, globs and directories; in the variable joined as in PATH.")
    ] = ()
    watch: Annotated[bool, _doc("Apply configuration files and the preset's script again when they are saved.")] = False
    preset: Annotated[str | None, _doc("Mocks that come with mockd; `mockd presets` lists them.")] = None
    preset_text: Annotated[str | None, _doc("What the preset replies instead of the last user message.")] = None
    preset_script: Annotated[
        str | None, _doc("File of `{when, reply}` for the preset, JSON or YAML; the first that fits wins.")
    ] = None
    ttft: Annotated[Wait | None, _doc("Milliseconds from the head to the preset's first token.")] = None
    itl: Annotated[Wait | None, _doc("Milliseconds between the preset's tokens.")] = None
    tokens_per_second: Annotated[
        Annotated[float, Meta(gt=0, le=1e6)] | None, _doc("The preset's tokens a second, instead of `--itl`.")
    ] = None
    state: Annotated[str | None, _doc("File that keeps changes made through the admin API.")] = None
    files_root: Annotated[str | None, _doc("Folder for data files of mocks that come through the admin API.")] = None
    cors: Annotated[
        bool, _doc("Let pages of any origin read the answers; a mock may say `cors: false` for its own.")
    ] = True
    max_body: Annotated[int, Meta(ge=0, description="Largest request body in bytes.")] = 10 * 1024 * 1024
    max_connections: Annotated[int, Meta(ge=0, description="Streams open at once; 0 is no limit.")] = 0
    send_buffer: Annotated[
        int, Meta(ge=65536, description="Bytes unsent per connection before a stream waits for its client.")
    ] = 256 * 1024
    send_timeout: Annotated[
        float, Meta(ge=0, description="Seconds a client may read nothing of what waits for it; 0 is no limit.")
    ] = 60.0
    shutdown_timeout: Annotated[
        float, Meta(ge=0, le=3600, description="Seconds for streams to end in when the server stops.")
    ] = 1.5
    max_sessions: Annotated[
        int, Meta(ge=1, description="Resumable sessions held for each mock; the oldest go first.")
    ] = 1000
    max_ended: Annotated[int, Meta(ge=0, description="Ended connections remembered with their outcome.")] = 1000
    seed: Annotated[int | None, _doc("Makes placeholders, random delays and generators repeat from run to run.")] = None
    api_key: Annotated[str | None, _doc("Key of the admin API; made up when it is reachable from outside.")] = None
    admin_allow_host: Annotated[
        tuple[str, ...], _doc("Host names the admin API answers to besides loopback names and its own address.")
    ] = ()
    tls_cert: Annotated[str | None, _doc("Certificate file (PEM) for HTTPS on the mock port.")] = None
    tls_key: Annotated[str | None, _doc("Key file (PEM) of the certificate.")] = None
    log_level: Annotated[Literal["critical", "error", "warning", "info", "debug"], _doc("What is logged.")] = "info"
    log_format: Annotated[Literal["text", "json"], _doc("How it is logged.")] = "text"
    workers: Annotated[int, Meta(ge=1, description="Processes; only 1, as state is kept per process.")] = 1

    @classmethod
    def from_env(cls, environ: Mapping[str, str] | None = None, **given: Any) -> Self:
        """Settings from `MOCKD_…` variables, with those `given` (and not None) before them.

        Raises `ConfigError` that names the variable or option and what it takes.
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
    """The option of `mockd serve` for a setting: `--max-body`; `--no-cors` for one that it turns off."""
    default = dict(zip(Settings.__struct_fields__, Settings.__struct_defaults__, strict=True))[name]
    return ("--no-" if default is True else "--") + name.replace("_", "-")


def spelling(name: str) -> str:
    """A setting as users know it: its option and its variable."""
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
