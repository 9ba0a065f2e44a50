"""What the preset refuses in the form of each provider: the part of its page that `scripts/docs` writes."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from urllib.parse import urlsplit

from mockd.sources.llm import wire_of
from mockd.sources.llm.refusals.rule import OWN, SEEN, Rules
from mockd.sources.llm.refusals.rules import RULES
from mockd.sources.llm.replies.params import ReplyParams
from mockd.sources.llm.wires.access import BEARER, IN_QUERY, Words
from mockd.sources.llm.wires.wire import Wire
from scripts.reference.markdown import code, table

FOLDER = Path(__file__).parents[2] / "docs" / "guides" / "llm"
BEGIN = "<!-- Keys, limits and refusals: written by scripts/docs from scripts/reference/providers.py. -->"
END = "<!-- End of keys, limits and refusals. -->"

PROVIDERS: dict[str, tuple[str, ...]] = {
    "openai.md": ("openai-chat", "openai-responses", "openai-completions", "openai-embeddings"),
    "azure.md": ("azure-openai",),
    "anthropic.md": ("anthropic-messages",),
    "gemini.md": ("gemini", "gemini-embeddings"),
    "mistral.md": ("mistral-chat", "mistral-embeddings"),
    "cohere.md": ("cohere-chat", "cohere-chat-v1", "cohere-embeddings"),
    "ollama.md": ("ollama-chat",),
    "vercel-ui.md": ("vercel-ui",),
    "ag-ui.md": ("ag-ui",),
}
"""The templates of each page whose rules differ. The wire of the first one speaks for the provider."""


def page(name: str) -> str:
    """The page of a provider, its section on keys, limits and refusals written anew."""
    before, _, rest = (FOLDER / name).read_text(encoding="utf-8").partition(BEGIN)
    _, _, after = rest.partition(END)
    return f"{before}{BEGIN}\n\n{_section(PROVIDERS[name])}\n\n{END}{after}"


def _section(templates: tuple[str, ...]) -> str:
    wire = wire_of(templates[0])(ReplyParams())
    rules = tuple(rule for template in templates for rule in RULES.get(template, ()))
    parts = [
        "## Keys, limits and refusals",
        "The [preset](../preset.md) refuses these requests, in this provider's form:",
        table(("Refused is a request", "Answer"), _rows(wire, rules)),
        _left(wire) + _documented(rules),
    ]
    return "\n\n".join(parts)


def _rows(wire: Wire, rules: Rules) -> Iterator[tuple[str, str]]:
    access = wire.access
    yield (
        f"without a [key](../preset.md#keys) in {_carriers(access.carriers)}",
        _answer(wire, 401, access.no_key, access.wrong_key),
    )
    yield (
        "above a [rate limit](../preset.md#rate-limits)",
        _answer(wire, 429, access.requests_spent, access.tokens_spent),
    )
    yield "longer than the [context window](../preset.md#what-it-refuses)", _answer(wire, 400, access.too_long)
    for status in sorted({rule.status for rule in rules}):
        broken = [rule for rule in rules if rule.status == status]
        fields = ", ".join(dict.fromkeys(code(rule.field) for rule in broken))
        answer = _answer(wire, status, *(rule.words for rule in broken))
        yield f"that breaks a [rule](../preset.md#what-it-refuses) for {fields}", answer


def _answer(wire: Wire, status: int, *words: Words) -> str:
    """The status, and the types of these errors, if the provider's errors have any."""
    types = dict.fromkeys(wire.error_type(one.type, status) for one in words) if wire.error_types else ()
    shown = " or ".join(code(type) for type in types if type != str(status))
    return f"{status}, {shown}" if shown else str(status)


def _carriers(carriers: tuple[str, ...]) -> str:
    said = {BEARER: "Authorization: Bearer", IN_QUERY: "?key="}
    *others, last = (code(said.get(carrier, carrier)) for carrier in carriers)
    return f"{', '.join(others)} or {last}" if others else last


def _left(wire: Wire) -> str:
    """The headers that say what is left."""
    names = [code(names.remaining) for names in (*wire.access.requests, *wire.access.tokens)]
    if not names:
        return "No header says what is left of a limit."
    return f"What is left of a limit is in {', '.join(names)}."


def _documented(rules: Rules) -> str:
    """Where the rules are documented."""
    pages = dict.fromkeys(rule.seen for rule in rules if rule.seen not in (OWN, SEEN))
    links = ", ".join(f"[{'/'.join(urlsplit(page).path.strip('/').split('/')[-2:])}]({page})" for page in pages)
    return f" The rules are documented in {links}." if links else ""
