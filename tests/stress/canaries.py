"""Secrets that must never reach the disk: `python -m tests.stress.canaries COUNT [--seed N]`.

Each canary is put somewhere into an exchange, in some spelling, and the exchange is recorded in pieces of random sizes.
What was written is then the same, except that the canary is not there, and something of its length is.
"""

from __future__ import annotations

import argparse
import json
import string
import sys
import tempfile
from base64 import b64encode, urlsafe_b64encode
from collections.abc import Callable, Iterator
from pathlib import Path
from random import Random
from urllib.parse import quote, quote_plus

from mockd.clock import SystemClock
from mockd.journal import credentials
from mockd.recordings.reading import Exchange, exchanges
from mockd.recordings.redaction import Redaction
from mockd.recordings.searching import filling
from mockd.recordings.writing import Recorder, Recording

_PLAIN = string.ascii_letters + string.digits
_ODD = _PLAIN + "-_.~+/=:@!$'()*,; \"\\<>&%#\n\té€ßй漢😀"

HEADERS = (
    "api-key",
    "authorization",
    "cookie",
    "ocp-apim-subscription-key",
    "proxy-authorization",
    "x-amz-security-token",
    "x-api-key",
    "x-auth-token",
    "x-goog-api-key",
    "x-vendor-secret-key",
)

Spell = Callable[[Random, str], str]


def as_it_is(rng: Random, secret: str) -> str:
    return secret


def in_json(rng: Random, secret: str) -> str:
    spelled = json.dumps(secret, ensure_ascii=rng.random() < 0.5)[1:-1]
    return spelled.replace("/", "\\/") if rng.random() < 0.3 else spelled


def in_json_wholly_escaped(rng: Random, secret: str) -> str:
    raw = secret.encode("utf-16-be")
    codes = [raw[place : place + 2].hex() for place in range(0, len(raw), 2)]
    return "".join(f"\\u{code.upper() if rng.random() < 0.5 else code}" for code in codes)


def in_nested_json(rng: Random, secret: str) -> str:
    return json.dumps(in_json(rng, secret), ensure_ascii=rng.random() < 0.5)[1:-1]


def percent_encoded(rng: Random, secret: str) -> str:
    spelled = rng.choice([quote, quote_plus])(secret, safe=rng.choice(["", "/", "-_.~:@"]))
    return spelled if rng.random() < 0.7 else _lower_hex(spelled)


def _lower_hex(spelled: str) -> str:
    first, *others = spelled.split("%")
    return first + "".join(f"%{part[:2].lower()}{part[2:]}" for part in others)


def percent_encoded_wholly(rng: Random, secret: str) -> str:
    return "".join(f"%{byte:02X}" for byte in secret.encode())


def percent_encoded_twice(rng: Random, secret: str) -> str:
    first = rng.choice([quote, quote_plus])(secret, safe=rng.choice(["", "/", "+/=:"]))
    return quote(first, safe=rng.choice(["", "/"]))


EXACT: tuple[Spell, ...] = (
    as_it_is,
    in_json,
    in_json_wholly_escaped,
    in_nested_json,
    percent_encoded,
    percent_encoded_wholly,
    percent_encoded_twice,
)


def check(seed: int) -> None:
    """Record one canary. Raises `AssertionError` if anything of it is there, or anything else is not."""
    rng = Random(seed)
    with tempfile.TemporaryDirectory() as folder:
        rng.choice(WAYS)(rng, Path(folder))


def _secret(rng: Random, alphabet: str, least: int = 8) -> str:
    secret = "".join(rng.choice(alphabet) for _ in range(rng.randint(least, 48)))
    return secret if secret.strip() == secret and not filling(99).decode().count(secret[:4]) else _secret(rng, alphabet)


def _pieces(rng: Random, data: bytes) -> Iterator[bytes]:
    most = rng.choice([1, 3, 10, 100, 1000])
    while data:
        size = rng.randint(1, most)
        yield data[:size]
        data = data[size:]


def _noise(rng: Random, secret: str) -> str:
    """Text around the canary, with beginnings of it that lead nowhere."""
    parts = [secret[: rng.randint(1, max(1, len(secret) // 2))], "\\u00", "%4", "data: ", "\n\n", "\\", "é", "x" * 20]
    return "|".join(["", *(rng.choice(parts) for _ in range(rng.randint(0, 4))), ""])


def _begin(
    folder: Path, redaction: Redaction, url: str = "/v1/chat", headers: dict[str, str] | None = None
) -> Recording:
    recorder = Recorder(folder, redaction, SystemClock(), say=_fail)
    raw = [(name.encode(), value.encode()) for name, value in (headers or {}).items()]
    return recorder.begin("POST", f"https://api.example.com{url}", raw)


def _fail(text: str) -> None:
    raise AssertionError(text)


def _end(rng: Random, recording: Recording, request: bytes = b"", answer: bytes = b"") -> Exchange:
    """Record both bodies and the end. Pieces keep their borders."""
    sent, received = list(_pieces(rng, request)), list(_pieces(rng, answer))
    for piece in sent:
        recording.input(piece)
    recording.input_end()
    recording.head(200, "OK", [(b"content-type", b"text/event-stream")])
    for piece in received:
        recording.output(piece)
    recording.end(rng.choice(["complete", "reset", "client"]))
    assert recording.path is not None
    [exchange] = exchanges(recording.path)
    assert [len(data) for _, data in exchange.output()] == list(map(len, received))
    return exchange


def _nowhere(folder: Path, *texts: str) -> None:
    """None of these texts is in a file, or in the name of one."""
    for file in folder.iterdir():
        content = file.read_bytes()
        for text in texts:
            assert text.encode() not in content, (text, content)
            assert json.dumps(text)[1:-1].encode() not in content, (text, content)
            assert text not in file.name, (text, file.name)


def given(rng: Random, folder: Path) -> None:
    """A value that the user gave, anywhere in a body."""
    secret = _secret(rng, rng.choice([_PLAIN, _ODD]), least=rng.choice([1, 4, 8]))
    spelled = rng.choice(EXACT)(rng, secret)
    before, behind = (_noise(rng, "#") for _ in range(2))
    body = f"{before}{spelled}{behind}".encode()
    recording = _begin(folder, Redaction([secret, "another one"]))
    exchange = _end(rng, recording, *((body, b"") if (is_request := rng.random() < 0.3) else (b"", body)))
    written = exchange.input() if is_request else b"".join(data for _, data in exchange.output())
    assert len(written) == len(body)
    if len(secret) >= 8:
        assert written == f"{before}{filling(len(spelled.encode())).decode()}{behind}".encode(), (
            spelled,
            body,
            written,
        )
        _nowhere(folder, secret, spelled)


def in_base64(rng: Random, folder: Path) -> None:
    """A value in base64, somewhere in what was encoded."""
    secret = _secret(rng, rng.choice([_PLAIN, _ODD]), least=10)
    around = ["".join(rng.choice(_PLAIN) for _ in range(rng.randint(0, 5))) for _ in range(2)]
    encode = rng.choice([b64encode, urlsafe_b64encode])
    spelled = encode(f"{around[0]}{secret}{around[1]}".encode())
    recording = _begin(folder, Redaction([secret]), headers={"x-forwarded-authorization": f"Basic {spelled.decode()}"})
    exchange = _end(rng, recording, answer=b"<" + spelled + b">")
    written = b"".join(data for _, data in exchange.output())
    size = len(secret.encode())
    for text in (written, dict(exchange.begun.headers)["x-forwarded-authorization"].encode()):
        assert b"RE" in text, (spelled, text)
        assert spelled[len(around[0]) + 4 : len(around[0]) + size] not in text, (spelled, text)
    _nowhere(folder, spelled.decode())


def named(rng: Random, folder: Path) -> None:
    """A credential by its name, in a body, and then wherever it is repeated."""
    secret = _secret(rng, rng.choice([_PLAIN, _ODD]))
    name = _name(rng, "body")
    document = json.dumps({"model": "m", name: secret, "n": 1}, ensure_ascii=rng.random() < 0.5)
    ways = {
        "json": document,
        "json in json": json.dumps({"arguments": document}),
        "form": f"a=1&{name}={quote_plus(secret)}&b=2",
        "parts": f'--x\r\nContent-Disposition: form-data; name="{name}"\r\n\r\n{secret}\r\n--x--\r\n',
    }
    way = rng.choice(list(ways))
    request = ways[way]
    answer = f"data: wrong: {in_json(rng, secret)}!\n\n"
    exchange = _end(rng, _begin(folder, Redaction()), request.encode(), answer.encode())
    if way == "json":
        assert set(json.loads(exchange.input())) == {"model", name, "n"}
    _nowhere(folder, secret, quote_plus(secret))


def header(rng: Random, folder: Path) -> None:
    """A credential in a header, which the answer repeats."""
    secret = _secret(rng, _PLAIN + "-_.")
    name = rng.choice(HEADERS)
    value = {"cookie": f"a=b; sid={secret}; c=d"}.get(name) or rng.choice(["Bearer {}", "{}", "Token {}"]).format(
        secret
    )
    if name == "authorization" and rng.random() < 0.4:
        value = "Basic " + b64encode(f"user:{secret}".encode()).decode()
    answer = f"data: {rng.choice(EXACT)(rng, secret)}\n\n"
    _end(rng, _begin(folder, Redaction(), headers={name: value}), answer=answer.encode())
    _nowhere(folder, secret, value, answer.removeprefix("data: ").strip())


def query(rng: Random, folder: Path) -> None:
    """A credential in the URL, in the path of which is another."""
    secret, other = _secret(rng, _PLAIN + "-_."), _secret(rng, _PLAIN)
    name = quote(_name(rng, "query_params"), safe=rng.choice(["", "[]"]))
    url = f"/v1/{other}/x?a=1&{name}={secret}&b=2"
    exchange = _end(
        rng, _begin(folder, Redaction([other]), url, {"referer": f"https://x{url}"}), answer=secret.encode()
    )
    assert exchange.begun.url.endswith("&b=2")
    _nowhere(folder, secret, other)


def _name(rng: Random, part: str) -> str:
    """The name of a credential, as programs and services may spell it."""
    exact, endings = credentials.NAMES_OF[part], credentials.ENDINGS_OF[part]
    is_ending = rng.random() < 0.9
    name = rng.choice(endings if is_ending else sorted(exact - {"token"}))
    for _ in range(rng.randint(0, 2)):
        place = rng.randint(1, len(name) - 1)
        name = name[:place] + rng.choice("_-.") + name[place:]
    if is_ending:
        name = rng.choice(["", "openai_", "X-", "my", "7"]) + name
    name = rng.choice([str, str.upper, str.title])(name)
    assert credentials.is_credential(part, name)
    return f"user[{name}]" if is_ending and rng.random() < 0.2 else name


def pattern(rng: Random, folder: Path) -> None:
    """What a pattern matches."""
    secret = "sk-" + _secret(rng, _PLAIN)
    before, behind = "a" * rng.randint(0, 6000), " " + "b" * rng.randint(0, 6000)
    exchange = _end(
        rng, _begin(folder, Redaction(patterns=["sk-[A-Za-z0-9]+"])), answer=f"{before}{secret}{behind}".encode()
    )
    written = b"".join(data for _, data in exchange.output())
    assert written == f"{before}{filling(len(secret)).decode()}{behind}".encode()
    _nowhere(folder, secret)


WAYS = (given, given, given, in_base64, named, named, header, query, pattern)


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m tests.stress.canaries", description=__doc__)
    parser.add_argument("count", type=int, metavar="COUNT")
    parser.add_argument("--seed", type=int, default=0, metavar="N")
    given = parser.parse_args()
    for seed in range(given.seed, given.seed + given.count):
        try:
            check(seed)
        except AssertionError as error:
            print(f"seed {seed}: {error}")
            return 1
    print(f"{given.count} canaries, none on the disk")
    return 0


if __name__ == "__main__":
    sys.exit(main())
