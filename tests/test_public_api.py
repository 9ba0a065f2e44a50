"""The public API, `__all__` of `mockd` and `mockd.llm`: sorted, importable, documented, and what type checkers see."""

from __future__ import annotations

import ast
import inspect
from pathlib import Path
from types import ModuleType

import pytest

import mockd
import mockd.llm

INIT = ast.parse(Path(mockd.__file__).read_text(encoding="utf-8"))


def rank(name: str) -> tuple[int, str]:
    """Constants, classes, functions; by name."""
    return (0 if name.isupper() else 1 if name[0].isupper() else 2, name)


@pytest.mark.parametrize("module", [mockd, mockd.llm])
def test_all_is_sorted(module: ModuleType) -> None:
    assert module.__all__ == sorted(module.__all__, key=rank)


MODULES = [mockd, mockd.llm]


@pytest.mark.parametrize(("module", "name"), [(module, name) for module in MODULES for name in module.__all__])
def test_every_name_is_there_and_documented(module: ModuleType, name: str) -> None:
    value = getattr(module, name)
    documented = value if inspect.isclass(value) or inspect.isfunction(value) else type(value)
    assert inspect.getdoc(documented)


def test_a_type_checker_sees_the_same_names() -> None:
    declared = {
        alias.name
        for node in ast.walk(INIT)
        if isinstance(node, ast.ImportFrom) and (node.module or "").startswith("mockd.")
        for alias in node.names
    }
    assert declared == set(mockd.__all__)


def test_dir_lists_them() -> None:
    assert set(mockd.__all__) <= set(dir(mockd))


def test_an_unknown_name_is_an_attribute_error() -> None:
    with pytest.raises(AttributeError, match="no attribute 'nothing'"):
        mockd.nothing  # noqa: B018


def test_the_package_says_that_it_is_typed() -> None:
    assert Path(mockd.__file__).with_name("py.typed").exists()
