"""The page on templates, from the structs of their parameters and from what their wires say."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import msgspec.inspect as inspect

from mockd.config.words import struct_info, structs_in
from mockd.sources import llm
from mockd.sources.llm.refusals.rule import Rule
from mockd.sources.llm.refusals.rules import RULES
from mockd.sources.llm.replies.params import Citation, Error, ReplyFields, ReplyParams, Scripted, ToolCall, Usage, When
from mockd.sources.llm.wires.wire import Wire
from mockd.sources.registry import SourceKind
from mockd.sources.templates import built_in
from scripts.reference import config, markdown
from scripts.reference.markdown import code, fields_table, first_paragraph, link, struct_table, table

INTRODUCTION = """
A mock names a template in `sse.template`, `chunked.template` or `response.template`, as the table says, and gives it
parameters in `templateParams` beside that. `mockd templates` lists them too, with those of plug-ins.
"""

REPLY = """
Parameters of the templates of models' replies. What a template has no words for is refused when a mock is loaded. How
they go together is told in the [guide](../guides/llm.md).
"""

REFUSALS = """
What a template refuses with `"strict": true`, as its service does, besides bodies that are not JSON and fields that are
missing. Words in braces stand for what is in the request. A link leads to the documentation of the rule. Words that are
in no documentation are as they were seen in answers of the service, unless the table says that they are mockd's own.
"""

HEADINGS: dict[type, str] = {
    ReplyFields: "The reply",
    ToolCall: "A tool call",
    Citation: "A citation",
    Usage: "Usage",
    Error: "An error",
    Scripted: "A scripted reply",
    When: "When a scripted reply is meant",
}


def page() -> str:
    known = links()
    rows = [(link(kind.name), code(f"{kind.part}.template"), kind.summary) for kind in built_in()]
    parts = [f"## The reply\n\n{REPLY.strip()}\n\n{struct_table(struct_info(ReplyParams), known)}"]
    for cls, heading in HEADINGS.items():
        if cls is not ReplyFields:
            what = first_paragraph(cls.__doc__)
            parts.append(f"### {heading}\n\n{what}\n\n{struct_table(struct_info(cls), known)}")
    return markdown.page(
        "Templates",
        INTRODUCTION,
        table(("Template", "Named in", "What it is"), rows),
        *parts,
        _refusals(),
        *(_section(kind, known) for kind in built_in()),
    )


def links() -> dict[type, str]:
    """A link to the section of every part of parameters."""
    return config.links("config.md") | {cls: link(heading) for cls, heading in HEADINGS.items()}


def structs() -> Iterator[inspect.StructType]:
    """Every struct that parameters are made of."""
    waiting = [struct_info(kind.params) for kind in built_in()]
    seen: set[type] = set()
    while waiting:
        struct = waiting.pop()
        if struct.cls not in seen:
            seen.add(struct.cls)
            yield struct
            waiting += [inner for field in struct.fields for inner in structs_in(field.type)]


def _refusals() -> str:
    """The rules, each with the templates that have it."""
    templates: dict[Rule, list[str]] = {}
    for name, rules in RULES.items():
        for rule in rules:
            templates.setdefault(rule, []).append(name)
    rows = dict.fromkeys(
        (", ".join(map(code, names)), code(rule.field), code(" ".join(rule.words.message.split())), _seen(rule))
        for rule, names in templates.items()
    )
    head = ("Templates", "Looked at with", "Words", "Documented")
    return f"## What strict refuses\n\n{REFUSALS.strip()}\n\n{table(head, rows)}"


def _seen(rule: Rule) -> str:
    return f"[here]({rule.seen})" if rule.seen.startswith("https:") else f"no: {rule.seen}"


def _section(kind: SourceKind[Any], known: dict[type, str]) -> str:
    parts = [f"## {kind.name}", kind.summary]
    struct = struct_info(kind.params)
    if not issubclass(kind.params, ReplyParams):
        return "\n\n".join([*parts, struct_table(struct, known)])
    common = {field.encode_name: field for field in struct_info(ReplyParams).fields}
    own = [field for field in struct.fields if field != common.get(field.encode_name)]
    said = f"Its parameters are those of {link('The reply')}"
    names = ", ".join(map(code, sorted(kind.lacks)))
    but = f", but for {names}, for which its format has no words" if names else ""
    parts.append(f"{said}{but}{'; and:' if own else '.'}")
    return "\n\n".join([*parts, *([fields_table(own, known)] if own else []), *_of_wire(llm.wire_of(kind.name))])


def _of_wire(wire: type[Wire]) -> Iterator[str]:
    """What a wire has words for."""
    words = [(code(word), code(said)) for word, said in wire.finish.items()]
    if words:
        yield table(("Reason to finish", "As it is sent"), words)
    types = [(str(status), code(word)) for status, word in wire.error_types.items()]
    if types:
        yield table(("HTTP status", "Type of error"), types)
