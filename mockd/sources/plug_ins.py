"""Plug-ins: objects named by import strings, such as `package.module:attribute`."""

from __future__ import annotations

import importlib
import logging
import sys
from importlib.util import find_spec
from pathlib import Path as FilePath
from typing import Any

from mockd.blame import told
from mockd.errors import ConfigError, Path

logger = logging.getLogger("mockd")

_folders: set[str] = set()
"""The folders of configuration files from which plug-ins are imported. They are last in `sys.path`, so that a file in
them cannot hide a module of Python or of an installed package."""


def look_beside(name: str, folder: FilePath, path: Path) -> None:
    """Let a plug-in be imported from a folder if it is there, and only then. Raises `ConfigError` if the folder of
    another configuration file has a module of the same name."""
    module = name.partition(":")[0].partition(".")[0]
    file = next((file for file in (folder / f"{module}.py", folder / module / "__init__.py") if file.is_file()), None)
    if file is None or not module.isidentifier():
        return
    place = str(folder.resolve())
    if place not in sys.path:
        sys.path.append(place)
        _folders.add(place)
    importlib.invalidate_caches()
    found = find_spec(module)
    origin = FilePath(found.origin) if found and found.has_location and found.origin else file
    home = origin.parent.parent if origin.name == "__init__.py" else origin.parent
    if str(home) in _folders and not origin.samefile(file):
        raise ConfigError(
            f"the module `{module}` is already imported from {origin}", path=path, hint="give one of them another name"
        )


def imported(name: str, path: Path) -> Any:
    """The object that an import string names. Raises `ConfigError`."""
    module_name, _, attribute = name.partition(":")
    try:
        module = importlib.import_module(module_name)
    except Exception as error:  # a module may raise anything when it is imported
        logger.debug("cannot import %s", name, exc_info=True)
        is_missing = isinstance(error, ModuleNotFoundError) and error.name == module_name
        hint = "a plug-in is on the Python path, or beside the configuration file" if is_missing else None
        raise ConfigError(f"cannot import `{name}`: {told(error)}", path=path, hint=hint) from error
    try:
        return getattr(module, attribute)
    except AttributeError as error:
        raise ConfigError(f"cannot import `{name}`: {error}", path=path, hint=f"it is {module.__file__}") from error
