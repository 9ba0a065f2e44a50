"""Which agents run: those that are quick, unless they are asked for by `-m agents` or by this folder's name."""

from __future__ import annotations

from pathlib import Path

import pytest

HERE = Path(__file__).parent


def _asks(config: pytest.Config) -> bool:
    named = (Path(word.partition("::")[0]).absolute() for word in config.args)
    return "agents" in config.option.markexpr or any(path == HERE or HERE in path.parents for path in named)


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    if _asks(config):
        return
    long = [item for item in items for mark in item.iter_markers("agents") if mark.kwargs["long"]]
    if long:
        config.hook.pytest_deselected(items=long)
        items[:] = [item for item in items if item not in set(long)]
