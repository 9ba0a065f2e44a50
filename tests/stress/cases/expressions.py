"""Expressions in texts of mocks."""

from __future__ import annotations

from hypothesis import strategies as st

from tests.stress.asking import ask
from tests.stress.cases.rounds import Round, examples, texts_of
from tests.stress.server import Server

_PARTS = (
    "request.path", "request.body", "request.json", ".a", "[0]", "['x']", " or ", " not ",
    "(", ")", "1", "0.0", "'x'", '"', " * 99999999", " ** 99", " + ", " ~ ", " | upper", " | join(',')",
    " | replace('', 'xx')", "range(1000000)", "for i in range(9999)", "endfor", "if 1", "endif", "set a = ", "a",
    "namespace()", "macro m()", "endmacro", "m()", "{# ", " #}", "${HOME}", "$uuid", "request.__class__",
    ".__init__.__globals__", "loop", "self", "include 'x'", "raw", "endraw", "{{ '{{' }}",
)  # fmt: skip


def check_text(server: Server, text: str) -> None:
    """A text is refused, or its mock answers, with an error that it says itself at worst."""
    mock = {"id": "hostile", "matcher": {"path": "/hostile"}, "sse": {"events": [{"data": text}]}}
    status, answer = ask(server.admin + "/mocks", "POST", mock)
    assert status in (201, 400), answer
    if status == 201:
        status, answer = ask(server.mocks + "/hostile", "POST", {"a": [1, {"x": "y"}]})
        assert ask(server.admin + "/mocks/hostile", "DELETE")[0] == 204
        assert status in (200, 500), answer
        assert b"Traceback" not in answer
        assert b"built-in" not in answer


_TAGS = st.sampled_from(["{{ %s }}", "{%% %s %%}", "{{ %s", "%s"])
_TEXTS = st.lists(st.builds(lambda tag, inside: tag % inside, _TAGS, texts_of(*_PARTS, most=6)), min_size=1, max_size=5)

EXPRESSIONS: dict[str, Round] = {"expressions": examples(_TEXTS.map("".join), check_text)}
