"""OpenAI's client with custom tools, which get a text; Lark says whether a text is valid against its grammar."""

import re

from lark import Lark
from openai import NotFoundError, OpenAI

PATCH = r"""
start: begin_patch hunk+ end_patch
begin_patch: "*** Begin Patch" LF
end_patch: "*** End Patch" LF?

hunk: add_hunk | delete_hunk | update_hunk
add_hunk: "*** Add File: " filename LF add_line+
delete_hunk: "*** Delete File: " filename LF
update_hunk: "*** Update File: " filename LF change?

filename: /(.+)/
add_line: "+" /(.+)/ LF -> line
change: (change_context | change_line)+
change_context: ("@@" | "@@ " /(.+)/) LF
change_line: ("+" | "-" | " ") /(.+)/ LF

%import common.LF
"""
QUERY = r"""
// A query, in which words have space between them.
start: "SELECT"i columns "FROM"i NAME [where] ";"
columns: "*" | NAME ("," NAME)*
where: "WHERE"i NAME OPERATOR NUMBER
OPERATOR: "=" | "<" | ">"
NAME: /[a-z_]+/

%import common (NUMBER, WS)
%ignore WS
"""
SUM = r"""
?start: sum
?sum: product | sum "+" product -> add
?product: atom | product "*" atom -> times
?atom: NUMBER | "-" atom -> minus | "(" sum ")" | CALL "(" sum ("," sum)~1..2 ")"
CALL: LETTER (LETTER | DIGIT)~0..5
%import common.NUMBER
%import common (LETTER, DIGIT)
%ignore " "
"""
STEPS = 'start: step~3 "end"\nstep: NAME ":" (ESCAPED_STRING | SIGNED_INT) ";"\nNAME: "a".."f" /[0-9]{2,}/\n'
STEPS += "%import common (ESCAPED_STRING, SIGNED_INT)"
GRAMMARS = {"patch": PATCH, "query": QUERY, "sum": SUM, "steps": STEPS}
TIME = r"^(?P<hour>[01]?\d|2[0-3]):[0-5]\d (am|pm)$"
ASK = [{"role": "user", "content": "Take note"}]


def _client(url):
    return OpenAI(base_url=f"{url}/openai/v1", api_key="any", max_retries=0, timeout=20)


def _grammar(syntax, definition):
    return {"type": "grammar", "syntax": syntax, "definition": definition}


def _declared(name, form=None):
    return {"type": "custom", "name": name, **({} if form is None else {"format": form})}


def _input(url, form=None):
    asked = {"tools": [_declared("note", form)], "tool_choice": {"type": "custom", "name": "note"}}
    [call] = _client(url).responses.create(model="m", input="Take note", **asked).output
    return call.input


def grammars(url):
    seen = {}
    for name, grammar in GRAMMARS.items():
        text = _input(url, _grammar("lark", grammar))
        Lark(grammar, parser="earley").parse(text)
        seen[name] = bool(text)
    return {**seen, "time": bool(re.fullmatch(TIME, _input(url, _grammar("regex", TIME))))}


def chat(url):
    """A call in one piece, and its result."""
    asked = {
        "model": "m",
        "tools": [{"type": "custom", "custom": {"name": "note", "format": {"type": "text"}}}],
        "tool_choice": {"type": "custom", "custom": {"name": "note"}},
    }
    create = _client(url).chat.completions.create
    message = create(messages=ASK, **asked).choices[0].message
    [call] = message.tool_calls
    messages = [*ASK, message, {"role": "tool", "tool_call_id": call.id, "content": "It is noted."}]
    told = create(messages=messages, **asked | {"tool_choice": "auto"}).choices[0].message.content
    return [message, told]


def chat_stream(url):
    asked = {"tools": [{"type": "custom", "custom": {"name": "note"}}], "tool_choice": "required"}
    stream = _client(url).chat.completions.create(model="m", messages=ASK, stream=True, **asked)
    deltas = [chunk.choices[0].delta.tool_calls or [] for chunk in stream]
    return [piece.to_dict() for pieces in deltas for piece in pieces]


def responses(url):
    """A call as a stream, and its result, which goes on from the response with the call, or refers to the call."""
    client, tools = _client(url), [_declared("note")]
    with client.responses.stream(model="m", input="Take note", tools=tools, tool_choice="required") as stream:
        events = list(stream)
        response = stream.get_final_response()
    [call] = response.output
    result = {"type": "custom_tool_call_output", "call_id": call.call_id, "output": "It is noted."}
    told = client.responses.create(model="m", input=[result], tools=tools, previous_response_id=response.id)
    referred = [{"type": "item_reference", "id": call.id}, result]
    told_again = client.responses.create(model="m", input=referred, tools=tools)
    return {
        "events": [event.type for event in events],
        "call": call,
        "told": [told.output_text, told_again.output_text],
    }


def unknown_reference(url):
    try:
        _client(url).responses.create(model="m", input=[{"type": "item_reference", "id": "ctc_1"}])
    except NotFoundError as error:
        return [error.status_code, error.param, error.body["message"]]
