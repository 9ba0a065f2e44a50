"""vcrpy, as its users use it: `python cassettes.py CASSETTE` records, and `… CASSETTE URL` replays. It prints, as JSON,
what its clients received. Run in an environment of its own."""

from __future__ import annotations

import asyncio
import base64
import gzip
import json
import sys
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import aiohttp
import httpx
import requests
import vcr

EVENTS = b'event: tick\ndata: {"n": 1}\n\ndata: \xe2\x82\xac\n\ndata: [DONE]\n\n'
PATHS = ("/gzip", "/binary", "/events")
BINARY = bytes(range(256))


class Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def log_message(self, *_: object) -> None:
        pass

    def _answer(self, body: bytes, **headers: str) -> None:
        self.send_response(200)
        for name, value in headers.items():
            self.send_header(name.replace("_", "-"), value)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def do_GET(self) -> None:
        if self.path == "/gzip":
            self._answer(gzip.compress(b'{"plain": "text"}'), Content_Type="application/json", Content_Encoding="gzip")
        elif self.path == "/binary":
            self._answer(BINARY, Content_Type="application/octet-stream", Set_Cookie="sid=verysecretcookie")
        else:
            self._answer(EVENTS, Content_Type="text/event-stream")

    def do_POST(self) -> None:
        body = self.rfile.read(int(self.headers["Content-Length"]))
        self._answer(b"got " + body, Content_Type="text/plain")


async def ask_with_aiohttp(url: str) -> dict[str, bytes]:
    received = {}
    async with aiohttp.ClientSession() as session:
        for path in PATHS:
            async with session.get(url + path) as answer:
                received[f"aiohttp {path}"] = await answer.read()
    return received


def ask(url: str) -> dict[str, str]:
    """What every client receives, by client and path."""
    received = asyncio.run(ask_with_aiohttp(url))
    for client in ("httpx", "requests"):
        get, post = (httpx.get, httpx.post) if client == "httpx" else (requests.get, requests.post)
        for path in PATHS:
            received[f"{client} {path}"] = get(url + path, headers={"Authorization": "Bearer secretsecret"}).content
        received[f"{client} /post"] = post(f"{url}/post", json={"a": "é", "api_key": "abcdefghijk"}).content
    return {name: base64.b64encode(content).decode() for name, content in received.items()}


def main() -> None:
    cassette, *url = sys.argv[1:]
    with vcr.VCR(record_mode="none" if url else "all").use_cassette(cassette):
        if url:
            print(json.dumps(ask(url[0])))
            return
        server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        threading.Thread(target=server.serve_forever, daemon=True).start()
        address = f"http://127.0.0.1:{server.server_port}"
        print(json.dumps({"url": address, **ask(address)}))
        server.shutdown()


if __name__ == "__main__":
    main()
