"""`--watch`, which applies configuration files again when they are saved, created or deleted."""

from __future__ import annotations

import asyncio
import glob
import os
from collections.abc import Iterable
from contextlib import aclosing
from pathlib import Path

from mockd.config.load import watched_files
from mockd.engine import Engine
from mockd.errors import ConfigError
from mockd.presets import configured, recordings_apart
from mockd.server.logs import count_of, logger
from mockd.settings import Settings

_TICK_MS = 1000
"""Interval, in milliseconds, at which files are checked without a notice from the system. There is no notice on some
network file systems, and none between loading a file and watching it."""

Stamps = dict[Path, tuple[int, int, int] | None]


class Watcher:
    """A watcher of the files that `--config` and `--preset-script` name. Make it before the files are read, so that it
    misses no change."""

    def __init__(self, settings: Settings) -> None:
        self._settings = settings
        self._scripts = [settings.preset_script] if settings.preset_script else []
        self._places = {_place(path) for path in (*settings.config, *self._scripts)}
        self._files = self._look()
        self._glance = self._look_quickly()

    async def run(self, engine: Engine) -> None:
        """Apply every change until cancelled."""
        # Imported here, as nothing else needs it and it is slow to load.
        from watchfiles import awatch

        while True:
            folders = self._folders()
            try:
                notices = awatch(
                    *folders, watch_filter=None, recursive=False, rust_timeout=_TICK_MS, yield_on_timeout=True
                )
                async with aclosing(notices):
                    async for _ in notices:
                        await self._refresh(engine)
                        if self._folders() != folders:
                            break
            except OSError as error:
                # A folder was just deleted, or there are more folders than the system can watch: ticks must suffice.
                logger.debug("no notice of changed files: %s", error)
                await asyncio.sleep(_TICK_MS / 1000)
                await self._refresh(engine)

    async def _refresh(self, engine: Engine) -> None:
        # All of this runs in threads, as even to check thousands of files takes time.
        if not await asyncio.to_thread(self._has_changed):
            return
        try:
            count = await engine.serving.apart(lambda: self._load(engine))
        except ConfigError as error:
            await asyncio.to_thread(_say_why_not, error)
        except Exception:
            logger.exception("the configuration could not be applied")
        else:
            logger.info("the configuration was applied: %s", count_of(count, "mock"))

    def _has_changed(self) -> bool:
        glance = self._look_quickly()
        if glance == self._glance:
            return False
        self._glance = glance
        files = self._look()
        if files == self._files:
            return False
        self._files = files
        self._glance = self._look_quickly()
        return True

    def _load(self, engine: Engine) -> int:
        specs = configured(self._settings, engine.check)
        engine.mock_set.load(specs)
        return len(specs)

    def _look(self) -> Stamps:
        """The present stamps of all watched files. Configuration files are read to find the data files they name."""
        paths, recordings = recordings_apart(self._settings)
        files = (*watched_files(paths), *(file.absolute() for file in recordings))
        return _stamps([*files, *map(Path, self._scripts)])

    def _look_quickly(self) -> Stamps:
        """The present stamps of the known files and their folders. A new file changes the stamp of its folder."""
        return _stamps([*self._files, *self._folders()])

    def _folders(self) -> set[Path]:
        folders = self._places | {file.parent for file in self._files}
        return {folder for folder in folders if folder.is_dir()}


def _say_why_not(error: ConfigError) -> None:
    """Log all problems. In the event loop there would be a quota for them."""
    for problem in error.problems:
        logger.error("%s", problem)
    logger.error("the configuration was not applied: the mocks stay as they were")


def _place(path: str) -> Path:
    """The folder in which new files for a path appear: the directory itself, or the parent of the file or glob."""
    if os.path.isdir(path):
        return Path(path).absolute()
    place = Path(path).absolute().parent
    while glob.has_magic(str(place)):
        place = place.parent
    return place


def _stamps(files: Iterable[Path]) -> Stamps:
    return {file: _stamp(file) for file in files}


def _stamp(file: Path) -> tuple[int, int, int] | None:
    try:
        status = file.stat()
    except OSError:
        return None
    return status.st_mtime_ns, status.st_size, status.st_ino
