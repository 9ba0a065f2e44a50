"""What a request asks of its reply, in the same terms for every provider.

Each wire reads its own words into `Options`; what follows from them is in `choosing/behaviour.py` and
`replies/cutting.py`, the same for all.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Literal, NamedTuple

from msgspec import Struct

Calling = Literal["auto", "none", "required"]


class Tool(NamedTuple):
    """A tool that a request declares. `schema` is the JSON schema of its arguments as the request has it, None if the
    provider knows it. A custom tool has the form of its input in place of a schema."""

    name: str
    schema: Any = None
    form: InputForm | None = None


class InputForm(NamedTuple):
    """The form of a custom tool's input: any text, or one that a grammar describes in a syntax, `lark` or `regex`."""

    syntax: str | None = None
    grammar: str = ""


class Options(Struct, frozen=True, kw_only=True):
    """What a request asks of its reply, besides the conversation and the schema of the text."""

    tools: tuple[Tool, ...] = ()
    """The tools that it declares."""
    has_others: bool = False
    """Whether there may be tools that the request does not declare, as the server has its own."""
    calling: Calling = "auto"
    """Whether the model may call tools, must not, or must."""
    only: frozenset[str] | None = None
    """The names of the only tools that may be called; None: any."""
    is_parallel: bool = True
    """Whether a reply may have several calls."""
    max_tokens: int | None = None
    stops: tuple[str, ...] = ()
    """Texts at which the reply ends, before the first of them."""
    thinks: bool = False
    """Whether the request asks to see the model's reasoning."""

    @property
    def callable(self) -> list[Tool]:
        """The declared tools that may be called."""
        if self.calling == "none":
            return []
        return [tool for tool in self.tools if self.only is None or tool.name in self.only]

    @property
    def must_call(self) -> bool:
        """Whether the reply must have a call, and a tool is declared that it may call."""
        return self.calling == "required" and bool(self.callable)

    def allows(self, name: str) -> bool:
        """Whether the model may call a tool. It may call one that is not declared, as real models do by mistake, unless
        it must call one of those that are."""
        if self.calling == "none" or not (self.tools or self.has_others):
            return False
        if self.only is not None:
            return name in self.only
        return self.calling == "auto" or self.has_others or any(tool.name == name for tool in self.tools)


PLAIN = Options()
"""The options of a request that asks for nothing special and declares no tools."""


class Choice(NamedTuple):
    """Which tools a request lets the model call."""

    calling: Calling = "auto"
    only: frozenset[str] | None = None


_WORDS: dict[str, Calling] = {"none": "none", "required": "required", "any": "required"}


def choice_in(given: Any) -> Choice:
    """The choice of tools in OpenAI's forms, which others have too: a word; the one tool to call, with its name in
    `function` or beside `type`; or a list of tools that are allowed."""
    if isinstance(given, str):
        return Choice(_WORDS.get(given.lower(), "auto"))
    if not isinstance(given, dict):
        return Choice()
    if given.get("type") == "allowed_tools":
        allowed = given.get("allowed_tools", given)
        if not isinstance(allowed, dict):
            return Choice()
        names = filter(None, map(_name, objects(allowed.get("tools"))))
        return Choice(_WORDS.get(str(allowed.get("mode")), "auto"), frozenset(names))
    name = _name(given)
    return Choice() if name is None else Choice("required", frozenset((name,)))


def _name(tool: Mapping[str, Any]) -> str | None:
    name = tool.get("name", (child(tool, "function") or child(tool, "custom")).get("name"))
    return name if isinstance(name, str) else None


def tools_in(declared: Any, *, has_custom: bool = False) -> tuple[Tool, ...]:
    """The functions in a list of tools in OpenAI's forms, with their fields in `function` or beside `type`. Custom
    tools, which have theirs in `custom` or beside `type`, are among them if the provider `has_custom` ones."""
    found: list[Tool] = []
    for tool in objects(declared):
        kind = tool.get("type", "function")
        if kind != "function" and not (has_custom and kind == "custom"):
            continue
        fields = child(tool, kind) or tool
        if not isinstance(name := fields.get("name"), str):
            continue
        if kind == "custom":
            found.append(Tool(name, form=_form_in(child(fields, "format"))))
        else:
            found.append(Tool(name, fields.get("parameters", {})))
    return tuple(found)


def _form_in(given: Mapping[str, Any]) -> InputForm:
    """The form of an input as a request has it; a grammar has its fields in `grammar` or beside `type`."""
    if given.get("type") != "grammar":
        return InputForm()
    fields = child(given, "grammar") or given
    syntax, grammar = fields.get("syntax"), fields.get("definition")
    return InputForm(str(syntax), grammar if isinstance(grammar, str) else "")


def names_of(declared: Any) -> list[str]:
    """The names in a list of tools of any kind, with those of the tools inside a tool. A tool without a name has its
    type."""
    found: list[str] = []
    for tool in objects(declared):
        name = tool.get("name") or child(tool, "function").get("name") or child(tool, "custom").get("name")
        inner = [_name(one) for one in objects(tool.get("tools"))]
        found += [one for one in (name or tool.get("type"), *inner) if isinstance(one, str)]
    return found


def most_tokens(*given: Any, least: int = 1) -> int | None:
    """The first of these values that is a limit: a whole number of `least` or more, which JSON may write as `2.0`."""
    numbers = (int(value) if type(value) is float and value.is_integer() else value for value in given)
    return next((value for value in numbers if type(value) is int and value >= least), None)


def stops_in(given: Any) -> tuple[str, ...]:
    """The texts at which a reply ends: one text, or a list of them."""
    listed = given if isinstance(given, list) else (given,)
    return tuple(text for text in listed if isinstance(text, str) and text)


def is_asked(effort: Any) -> bool:
    """Whether an effort of reasoning, or a mode of it, asks for any."""
    return isinstance(effort, str) and effort not in ("none", "disabled")


def objects(values: Any) -> list[dict[str, Any]]:
    """The objects in a list."""
    return [value for value in values if isinstance(value, dict)] if isinstance(values, list) else []


def child(value: Mapping[str, Any], name: str) -> dict[str, Any]:
    """An object in an object, or an empty one."""
    found = value.get(name)
    return found if isinstance(found, dict) else {}
