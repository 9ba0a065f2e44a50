"""What may stand in place of a file, although it is none that can be read."""

from __future__ import annotations

import os
import shutil
import socket
from collections.abc import Callable
from pathlib import Path

import pytest

HUGE = 5 << 30
"""Bytes of a file that nobody may read as a whole. It takes no room on the disk."""


def _socket(path: Path) -> None:
    with socket.socket(socket.AF_UNIX) as listener:
        before = os.getcwd()
        os.chdir(path.parent)  # the path of a socket may have a hundred characters only
        try:
            listener.bind(path.name)
        finally:
            os.chdir(before)


def _unreadable(path: Path) -> None:
    if os.geteuid() == 0:
        pytest.skip("root may read every file")
    path.touch(0o000)


def _linked_folder(path: Path) -> None:
    """The folder of the file leads elsewhere, where there is a file of that name."""
    elsewhere = path.parents[2] / "elsewhere"
    elsewhere.mkdir()
    (elsewhere / path.name).write_text("secret")
    path.parent.rename(path.parent.with_name(path.parent.name + ".before"))
    path.parent.symlink_to(elsewhere)


def huge(path: Path) -> None:
    path.touch()
    os.truncate(path, HUGE)


Make = Callable[[Path], object]
NO_FILES: dict[str, Make] = {
    "nothing": lambda path: None,
    "a pipe": os.mkfifo,
    "a socket": _socket,
    "a folder": Path.mkdir,
    "a device": lambda path: path.symlink_to("/dev/zero"),
    "a link to nothing": lambda path: path.symlink_to(path.with_name("nothing")),
    "a link to itself": lambda path: path.symlink_to(path),
    "a link to a pipe": lambda path: (os.mkfifo(path.with_name("pipe")), path.symlink_to(path.with_name("pipe"))),
    "a file that may not be read": _unreadable,
}
LEADING_OUT: dict[str, Make] = {
    "a link to another folder": lambda path: path.symlink_to("/etc/hostname"),
    "a link to a file above": lambda path: path.symlink_to(Path("..", "..", "above.txt")),
    "a file in a folder that is a link": _linked_folder,
}


def put(make: Make, path: Path) -> None:
    """Put something in the place of a file."""
    if path.is_dir() and not path.is_symlink():
        shutil.rmtree(path)
    path.unlink(missing_ok=True)
    make(path)
