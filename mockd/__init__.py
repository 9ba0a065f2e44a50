"""mockd: a mock server for streaming HTTP APIs.

This module, the admin API and the configuration format are the public API. Names in `__all__` change only with a line
in the changelog. They are imported when they are first used, so `import mockd` takes almost no time and the command
line does not load the server.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from mockd.app import create_app
    from mockd.client import AdminClient
    from mockd.engine import Engine
    from mockd.errors import (
        AdminError,
        ConfigError,
        ConflictError,
        MockdError,
        NotFoundError,
        Problem,
        SourceError,
        UnreachableError,
    )
    from mockd.events import JSON_NULL, Event, Slot
    from mockd.fixtures import (
        AsyncMockd,
        AsyncMockHandle,
        AsyncStreamHandle,
        Mockd,
        MockdServer,
        MockHandle,
        StreamHandle,
    )
    from mockd.fixtures.torture import Torture
    from mockd.request import RequestView
    from mockd.settings import Settings
    from mockd.source import Answer, BaseSource, Script, Source, SourceContext
    from mockd.sources import SourceKind, register
    from mockd.testing import RunningMockd, running_mockd

__version__ = "0.1.0"

__all__ = [
    "JSON_NULL",
    "AdminClient",
    "AdminError",
    "Answer",
    "AsyncMockHandle",
    "AsyncMockd",
    "AsyncStreamHandle",
    "BaseSource",
    "ConfigError",
    "ConflictError",
    "Engine",
    "Event",
    "MockHandle",
    "Mockd",
    "MockdError",
    "MockdServer",
    "NotFoundError",
    "Problem",
    "RequestView",
    "RunningMockd",
    "Script",
    "Settings",
    "Slot",
    "Source",
    "SourceContext",
    "SourceError",
    "SourceKind",
    "StreamHandle",
    "Torture",
    "UnreachableError",
    "create_app",
    "register",
    "running_mockd",
]

_MODULES = {
    "mockd.app": ("create_app",),
    "mockd.client": ("AdminClient",),
    "mockd.engine": ("Engine",),
    "mockd.errors": (
        "AdminError",
        "ConfigError",
        "ConflictError",
        "MockdError",
        "NotFoundError",
        "Problem",
        "SourceError",
        "UnreachableError",
    ),
    "mockd.events": ("JSON_NULL", "Event", "Slot"),
    "mockd.fixtures": (
        "AsyncMockHandle",
        "AsyncMockd",
        "AsyncStreamHandle",
        "MockHandle",
        "Mockd",
        "MockdServer",
        "StreamHandle",
    ),
    "mockd.fixtures.torture": ("Torture",),
    "mockd.request": ("RequestView",),
    "mockd.settings": ("Settings",),
    "mockd.source": ("Answer", "BaseSource", "Script", "Source", "SourceContext"),
    "mockd.sources": ("SourceKind", "register"),
    "mockd.testing": ("RunningMockd", "running_mockd"),
}
_HOME = {name: module for module, names in _MODULES.items() for name in names}


def __getattr__(name: str) -> Any:
    if name not in _HOME:
        raise AttributeError(f"module 'mockd' has no attribute {name!r}")
    value = getattr(import_module(_HOME[name]), name)
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    return sorted([*globals(), *__all__])
