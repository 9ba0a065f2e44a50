"""Programs that tests drive, and that a machine may not have."""

from __future__ import annotations

import os
import shutil

import pytest


def find(*names: str) -> str | None:
    """The path of a program under the first of its names that is installed, if any. Servers may be in `/usr/sbin`."""
    path = os.pathsep.join([os.environ.get("PATH", os.defpath), "/usr/sbin"])
    return next(filter(None, (shutil.which(name, path=path) for name in names)), None)


def program(*names: str) -> str:
    """The path of a program. Without it the test is skipped, and the summary says why."""
    found = find(*names)
    if found is None:
        pytest.skip(f"{names[0]} is not installed")
    return found
