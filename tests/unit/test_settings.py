"""Settings from variables and options."""

from __future__ import annotations

import os

import pytest

from mockd.errors import ConfigError
from mockd.settings import GROUPS, Settings, describe, env_name


def test_defaults() -> None:
    settings = Settings.from_env({})
    assert settings == Settings()
    assert (settings.host, settings.port, settings.admin_host, settings.admin_port) == (
        "127.0.0.1", 4280, "127.0.0.1", 4290,
    )  # fmt: skip
    assert (settings.max_body, settings.max_connections, settings.shutdown_timeout) == (10 * 1024 * 1024, 0, 1.5)
    assert settings.send_buffer == 256 * 1024


@pytest.mark.parametrize(
    ("variable", "text", "name", "value"),
    [
        ("MOCKD_PORT", "9000", "port", 9000),
        ("MOCKD_HOST", "0.0.0.0", "host", "0.0.0.0"),
        ("MOCKD_WATCH", "true", "watch", True),
        ("MOCKD_WATCH", "0", "watch", False),
        ("MOCKD_CORS", "false", "cors", False),
        ("MOCKD_CORS", "1", "cors", True),
        ("MOCKD_CORS", "", "cors", True),
        ("MOCKD_SHUTDOWN_TIMEOUT", "0.5", "shutdown_timeout", 0.5),
        ("MOCKD_MAX_BODY", "1024", "max_body", 1024),
        ("MOCKD_SEED", "7", "seed", 7),
        ("MOCKD_CONFIG", os.pathsep.join(["a.json", "b"]), "config", ("a.json", "b")),
        ("MOCKD_ADMIN_ALLOW_HOST", "a.example,b.example", "admin_allow_host", ("a.example", "b.example")),
        ("MOCKD_API_KEY", "123", "api_key", "123"),
        ("MOCKD_PORT", "", "port", 4280),
    ],
)
def test_variables(variable: str, text: str, name: str, value: object) -> None:
    assert getattr(Settings.from_env({variable: text}), name) == value


def test_what_is_given_goes_before_variables() -> None:
    environ = {"MOCKD_PORT": "9000", "MOCKD_HOST": "0.0.0.0"}
    settings = Settings.from_env(environ, port=9001, host=None)
    assert (settings.port, settings.host) == (9001, "0.0.0.0")


@pytest.mark.parametrize(
    ("variable", "text", "option"),
    [
        ("MOCKD_PORT", "http", "--port"),
        ("MOCKD_PORT", "65536", "--port"),
        ("MOCKD_MAX_BODY", "-1", "--max-body"),
        ("MOCKD_SEND_BUFFER", "1", "--send-buffer"),
        ("MOCKD_LOG_FORMAT", "xml", "--log-format"),
        ("MOCKD_SHUTDOWN_TIMEOUT", "soon", "--shutdown-timeout"),
        ("MOCKD_WATCH", "perhaps", "--watch"),
        ("MOCKD_CORS", "perhaps", "--no-cors"),
    ],
)
def test_what_is_wrong_is_named_as_option_and_variable(variable: str, text: str, option: str) -> None:
    with pytest.raises(ConfigError) as caught:
        Settings.from_env({variable: text})
    assert str(caught.value).startswith(f"{option} ({variable}): ")


@pytest.mark.parametrize(
    "host",
    [
        "mocks.test",
        "MOCKS.test.",
        "localhost",
        "my_box",
        "192.0.2.7",
        "2001:db8::1",
        "[2001:db8::1]",
        " mocks.test",
        "mocks.test:4290",
    ],
)
def test_names_and_addresses_may_be_allowed(host: str) -> None:
    assert Settings.from_env({"MOCKD_ADMIN_ALLOW_HOST": host}) == Settings(admin_allow_host=(host,))


@pytest.mark.parametrize(
    "host",
    [
        "*",
        "*.mocks.test",
        ".mocks.test",
        "https://mocks.test",
        "mocks.test/",
        "a b",
        "user@mocks.test",
        "[::1].mocks.test",
        "[mocks.test]",
        "2001:db8::xyz",
        "m\u00f6ck.test",
        "mocks..test",
        "mocks.test:http",
        " ",
        "\n",
    ],
)
def test_what_is_no_host_is_not_allowed_but_refused(host: str) -> None:
    for make in (
        lambda: Settings.from_env({"MOCKD_ADMIN_ALLOW_HOST": f"fine.test,{host}"}),
        lambda: Settings.from_env({}, admin_allow_host=(host,)),
        lambda: Settings(admin_allow_host=(host,)),
    ):
        with pytest.raises(ConfigError) as caught:
            make()
        assert str(caught.value).startswith(f"--admin-allow-host (MOCKD_ADMIN_ALLOW_HOST): {host!r} is no host name")
        assert "as in mocks.test" in str(caught.value)


def test_every_setting_is_described() -> None:
    described = list(describe())
    assert [setting.name for setting in described] == list(Settings.__struct_fields__)
    assert all(setting.meaning.endswith(".") for setting in described)
    assert {setting.group for setting in described} == set(GROUPS.values())
    assert described[0].group
    assert env_name("max_body") == "MOCKD_MAX_BODY"


@pytest.mark.parametrize(
    ("given", "message"),
    [
        (
            {"log_level": "trace"},
            "--log-level (MOCKD_LOG_LEVEL): 'trace' is not one of critical, error, warning, info, debug",
        ),
        ({"record_mode": "twice"}, "--record-mode (MOCKD_RECORD_MODE): 'twice' is not one of once, new, all, none"),
        ({"port": "99999"}, "--port (MOCKD_PORT): expected a whole number <= 65535, got '99999'"),
        ({"seed": "abc"}, "--seed (MOCKD_SEED): expected a whole number, got 'abc'"),
        ({"send_timeout": "-1"}, "--send-timeout (MOCKD_SEND_TIMEOUT): expected a number >= 0.0, got '-1'"),
        ({"watch": "maybe"}, "--watch (MOCKD_WATCH): expected true or false, got 'maybe'"),
    ],
)
def test_a_wrong_value_is_shown_with_what_it_could_be(given: dict[str, str], message: str) -> None:
    with pytest.raises(ConfigError) as caught:
        Settings.from_env({f"MOCKD_{name.upper()}": value for name, value in given.items()})
    assert caught.value.problems[0].message == message


@pytest.mark.parametrize("name", ["only", "skip"])
@pytest.mark.parametrize("path", ["", "v1/chat"])
def test_what_fits_no_path_is_refused(name: str, path: str) -> None:
    with pytest.raises(ConfigError, match=f"--{name} .*: {path!r} does not start with `/`"):
        Settings(record="recordings", **{name: ("/v1/*", path)})


NAMES = [each.name for each in describe() if each.metavar in ("FILE", "FOLDER") and each.default is None]


@pytest.mark.parametrize("name", NAMES)
def test_a_file_without_a_name_is_refused(name: str) -> None:
    """As a shell gives it whose variable is not set: the folder in which mockd runs is not meant."""
    with pytest.raises(ConfigError, match=r": the name is empty \(give one"):
        Settings(**{"proxy": ("http://a.test",), name: ""})
