"""A reader of event streams by the standard: https://html.spec.whatwg.org/multipage/server-sent-events.html"""

import codecs
import json
import re
import sys
import zlib
from collections.abc import Iterator
from http.client import HTTPResponse
from urllib.request import Request, urlopen


def text_of(answer: HTTPResponse) -> Iterator[str]:
    """The text of a body, piece by piece: decoded, without its byte order mark."""
    inflate = zlib.decompressobj(47) if answer.headers["Content-Encoding"] == "gzip" else None
    decoder = codecs.getincrementaldecoder("utf-8")("replace")
    is_first = True
    while part := answer.read1(65536):
        text = decoder.decode(inflate.decompress(part) if inflate else part)
        if text:
            yield text.removeprefix("\ufeff") if is_first else text
            is_first = False


def lines_of(texts: Iterator[str]) -> Iterator[str]:
    """The lines of a text, each as soon as it has ended: by LF, CRLF or CR. What is left at the end is no line."""
    rest, ended_by_cr = "", False
    for text in texts:
        if ended_by_cr:
            text = text.removeprefix("\n")
        ended_by_cr = text.endswith("\r")
        *lines, rest = re.split("\r\n|\n|\r", rest + text)
        yield from lines


def events_of(lines: Iterator[str]) -> Iterator[dict[str, str]]:
    """The events that a browser would dispatch."""
    data: list[str] = []
    kind = last_id = ""
    for line in lines:
        if not line:
            if data:
                yield {"type": kind or "message", "data": "\n".join(data), "id": last_id}
            data, kind = [], ""
            continue
        name, _, value = line.partition(":")
        value = value.removeprefix(" ")
        if name == "data":
            data.append(value)
        elif name == "event":
            kind = value
        elif name == "id" and "\0" not in value:
            last_id = value


with urlopen(Request(sys.argv[1], headers={"Accept-Encoding": "gzip"})) as answer:
    for event in events_of(lines_of(text_of(answer))):
        print(json.dumps(event))
