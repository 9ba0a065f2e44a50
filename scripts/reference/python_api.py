"""The page on the Python API, from `mockd.__all__`."""

from __future__ import annotations

import inspect
from types import ModuleType
from typing import Any, Protocol

import mockd
import mockd.llm
from scripts.reference import markdown
from scripts.reference.markdown import code, first_paragraph, table

INTRODUCTION = """
`import mockd` offers these names. They, the [admin API](admin.md) and the [configuration format](config.md) are what
stays stable: a change to them is in the [changelog](../../CHANGELOG.md). The fields of `Settings` are the
[settings](settings.md). How they go together: [in tests](../guides/in-tests.md), [pytest](../guides/pytest.md),
[mounted](../guides/running.md), [sources of your own](../guides/sources.md).
"""

WIDTH = 100
WITH_METHODS = (mockd.AdminClient, mockd.Mockd, mockd.MockHandle, mockd.StreamHandle)
"""The classes that are used by their methods."""


def page() -> str:
    values = _values(mockd)
    signatures = [
        f"### {name}\n\n```python not-run\n{text}\n```"
        for name, value in values.items()
        if value is not mockd.Settings and (text := _call(value))
    ]
    return markdown.page(
        "Python API",
        INTRODUCTION,
        "## Names",
        _names(mockd),
        "## Signatures",
        *signatures,
        *(part for kind in WITH_METHODS for part in (f"## Methods of {kind.__name__}", _methods(kind))),
        "## mockd.llm",
        "`import mockd.llm` offers what [templates of your own](../guides/new-template.md) are made of:",
        _names(mockd.llm),
    )


def _values(module: ModuleType) -> dict[str, Any]:
    return {name: getattr(module, name) for name in module.__all__}


def _names(module: ModuleType) -> str:
    rows = [(code(name), _kind(value), _meaning(value)) for name, value in _values(module).items()]
    return table(("Name", "What it is", "Meaning"), rows)


def _methods(kind: type) -> str:
    """The methods and properties of a class that users call, in the order in which they are written."""
    rows = []
    for name, value in (member for each in reversed(kind.__mro__) for member in vars(each).items()):
        if name.startswith("_"):
            continue
        if inspect.isfunction(value):
            called = ", ".join(_short(each) for each in list(inspect.signature(value).parameters.values())[1:])
            rows.append((code(f"{name}({called})"), first_paragraph(inspect.getdoc(value))))
        elif isinstance(value, property):
            rows.append((code(name), first_paragraph(inspect.getdoc(value))))
    return table(("Method", "Meaning"), rows)


def _short(parameter: inspect.Parameter) -> str:
    """A parameter without its type."""
    if parameter.kind is parameter.VAR_KEYWORD:
        return f"**{parameter.name}"
    return parameter.name if parameter.default is parameter.empty else f"{parameter.name}={parameter.default!r}"


def _kind(value: Any) -> str:
    if not inspect.isclass(value):
        return "function" if inspect.isfunction(value) else "value"
    return "exception" if issubclass(value, Exception) else "class"


def _meaning(value: Any) -> str:
    return first_paragraph(
        inspect.getdoc(value if inspect.isclass(value) or inspect.isfunction(value) else type(value))
    )


def _call(value: Any) -> str | None:
    """How it is called: its name and parameters, one a line where there are many."""
    if not callable(value) or (inspect.isclass(value) and (issubclass(value, Exception) or Protocol in value.__mro__)):
        return None
    written = inspect.get_annotations(value) if inspect.isclass(value) else {}  # which msgspec has worked out
    parameters: list[str] = []
    for parameter in inspect.signature(value).parameters.values():
        if parameter.kind is parameter.KEYWORD_ONLY and not any(text.startswith("*") for text in parameters):
            parameters.append("*")
        parameters.append(_parameter(parameter, written.get(parameter.name, parameter.annotation)))
    together = f"{value.__name__}({', '.join(parameters)})"
    if not parameters or len(together) < WIDTH:
        return together if parameters else None
    return f"{value.__name__}(\n    " + ",\n    ".join(parameters) + ",\n)"


def _parameter(parameter: inspect.Parameter, annotation: Any) -> str:
    """Written out here, because how `inspect` writes it differs between versions of Python."""
    star = (
        "*" if parameter.kind is parameter.VAR_POSITIONAL else "**" if parameter.kind is parameter.VAR_KEYWORD else ""
    )
    annotation = getattr(annotation, "__forward_arg__", annotation)
    if parameter.default is parameter.empty:
        return f"{star}{parameter.name}: {annotation}"
    default = "..." if "<" in repr(parameter.default) else repr(parameter.default)
    return f"{parameter.name}: {annotation} = {default}"
