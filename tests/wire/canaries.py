"""Requests with credentials in them: each kind of place that a provider, a client or a mistake puts one into."""

from __future__ import annotations

import base64
from itertools import count
from typing import NamedTuple
from urllib.parse import quote

KEPT = 64 * 1024
"""Bytes of a body that the journal keeps."""
_numbers = count()


class Canary(NamedTuple):
    """A request, of which none of `secrets` may be seen again."""

    name: str
    target: str
    headers: tuple[str, ...]
    body: bytes
    secrets: tuple[str, ...]


def header(name: str, line: str) -> Canary:
    secret = _new()
    return Canary(name, "/miss", (line.replace("{}", secret),), b"", (secret,))


def query(name: str, text: str) -> Canary:
    secret = _new()
    return Canary(name, "/miss?" + text.replace("{}", secret), (), b"", (secret,))


def body(name: str, text: str, *headers: str, encoding: str = "latin-1") -> Canary:
    secret = _new()
    return Canary(name, "/miss", headers, text.replace("{}", secret).encode(encoding), (secret,))


def _new() -> str:
    return f"canary{next(_numbers):04}x"


def _basic() -> Canary:
    pair = base64.b64encode(f"user:{_new()}".encode()).decode()
    return Canary("basic", "/miss", (f"AUTHORIZATION: Basic {pair}",), b"", (pair,))


def _cut(name: str, beginning: str) -> Canary:
    """A body that is cut inside a value, of which only the beginning is kept."""
    secret = _new()
    before = beginning.partition("{}")[0]
    padding = "x" * (KEPT - len(secret) + 1 - len(before) + len("PADDING"))
    text = beginning.replace("PADDING", padding).replace("{}", secret)
    return Canary(name, "/miss", (), text.encode(), (secret[:-1],))


_FORM = "Content-Type: application/x-www-form-urlencoded"
_PARTS = "Content-Type: multipart/form-data; boundary=b"
_DISPOSITION = "--b\r\nContent-Disposition: form-data; "

CANARIES = (
    # -- headers of providers and gateways
    header("openai", "Authorization: Bearer {}"),
    header("openai realtime", "Sec-WebSocket-Protocol: realtime, openai-insecure-api-key.{}"),
    header("anthropic", "X-API-KEY: {}"),
    header("gemini", "x-goog-api-key: {}"),
    header("gemini iam", "X-Goog-Iam-Authorization-Token: {}"),
    header("azure", "api-key: {}"),
    header("azure apim", "Ocp-Apim-Subscription-Key: {}"),
    header("azure functions", "x-functions-key: {}"),
    header("cohere", "authorization: bearer {}"),
    header("bedrock", "Authorization: AWS4-HMAC-SHA256 Credential=AKIA/x/bedrock, Signature={}"),
    header("aws session", "X-Amz-Security-Token: {}"),
    header("ollama", "AUTHORIZATION: {}"),
    header("proxy", "Proxy-Authorization: Basic {}"),
    header("helicone", "Helicone-Auth: Bearer {}"),
    header("portkey", "x-portkey-api-key: {}"),
    header("cloudflare", "cf-aig-authorization: Bearer {}"),
    header("elevenlabs", "xi-api-key: {}"),
    header("rapidapi", "X-RapidAPI-Key: {}"),
    header("auth token", "X-Auth-Token: {}"),
    header("access token", "X-Access-Token: {}"),
    header("csrf", "X-CSRF-Token: {}"),
    header("gitlab", "Private-Token: {}"),
    header("secret", "X-Client-Secret: {}"),
    header("cookie", "Cookie: a=b; session={}"),
    header("cookie of old", "Cookie2: session={}"),
    header("set-cookie", "Set-Cookie: session={}"),
    header("other name", "X-Forwarded-Auth-Line: Bearer {}"),
    header("latin-1", "Authorization: Bearer \xff{}"),
    header("referer", "Referer: http://a.test/?api_key={}&x=1"),
    header("referer, percent-encoded", "Referer: http://a.test/?%61pi_key={}"),
    header("referer's user", "Referer: http://user:{}@a.test/"),
    header("origin's user", "X-From: https://{}@a.test/"),
    header("original url", "X-Original-URL: /a?x=1&access_token={}"),
    header("fragment", "Referer: http://a.test/#access_token={}"),
    header("json", 'X-Meta: {"api_key": "{}"}'),
    _basic(),
    Canary("twice", "/miss", ("X-Api-Key: one", "x-api-key: canarytwice"), b"", ("canarytwice",)),
    # -- queries
    query("gemini's key", "key={}"),
    query("gemini's token", "access_token={}"),
    query("odd case", "API_Key={}"),
    query("azure's key", "api-version=2024-10-21&api-key={}"),
    query("subscription", "subscription-key={}"),
    query("signature", "X-Amz-Algorithm=a&X-Amz-Signature={}"),
    query("aws credential", "X-Amz-Credential={}%2F20240115"),
    query("aws token", "X-Amz-Security-Token={}"),
    query("old aws", "AWSAccessKeyId=a&Signature={}"),
    query("google's signature", "X-Goog-Signature={}"),
    query("sas", "sv=2022&sig={}"),
    query("refresh", "refresh_token={}"),
    query("secret in a query", "secret={}"),
    query("client secret", "client%5Fsecret={}"),
    query("camel", "apiKey={}&accessToken={}"),
    query("percent-encoded", "%61pi_key={}"),
    query("plus", "api_key=a+{}"),
    query("twice in a query", "token=a&token={}"),
    query("semicolon", "a=1;token={}"),
    query("json in a query", "q=%7B%22api_key%22%3A%22{}%22%7D"),
    query("json in a query, raw", 'q={"password":"{}"}'),
    query("url in a query", "next=https%3A%2F%2Fa.test%2F%3Faccess_token%3D{}"),
    query("id token", "id_token={}"),
    query("jwt", "jwt={}"),
    query("authorization", "Authorization=Bearer%20{}"),
    # -- JSON
    body("api_key", '{"api_key": "{}"}'),
    body("apiKey", '{"a": [1, {"apiKey": "{}"}]}'),
    body("api-key", '{"api-key": "{}"}'),
    body("API_KEY", '{"API_KEY": "{}"}'),
    body("accessToken", '{"accessToken": "{}", "refreshToken": "{}"}'),
    body("array", '[{"password": "{}"}]'),
    body("object", '{"secret": {"deep": ["{}"]}}'),
    body("escaped name", '{"\\u0061pi_key": "{}"}'),
    body("escaped value", '{"api_key": "\\"\\\\{}"}'),
    body("twice in json", '{"api_key": "{}", "api_key": "{}"}'),
    body("overwritten", '{"api_key": "{}", "api_key": null}'),
    body("overwritten object", '{"a": {"api_key": "{}"}, "a": 1}'),
    body("string", '{"arguments": "{\\"api_key\\": \\"{}\\"}"}'),
    body("string in a string", '{"a": "{\\"b\\": \\"{\\\\\\"api_key\\\\\\": \\\\\\"{}\\\\\\"}\\"}"}'),
    body("mcp headers", '{"tools": [{"type": "mcp", "headers": {"Authorization": "Bearer {}"}}]}'),
    body("mcp authorization", '{"tools": [{"type": "mcp", "authorization": "{}"}]}'),
    body("anthropic mcp", '{"mcp_servers": [{"type": "url", "authorization_token": "{}"}]}'),
    body("azure search", '{"data_sources": [{"parameters": {"authentication": {"type": "api_key", "key": "{}"}}}]}'),
    body("azure string", '{"connection_string": "{}"}'),
    body("cohere connector", '{"connectors": [{"service_auth": {"type": "bearer", "token": "{}"}}]}'),
    body("aws keys", '{"aws_secret_access_key": "{}", "aws_session_token": "{}"}'),
    body("bearer value", '{"x": "Bearer {}"}'),
    body("mcp url", '{"server_url": "https://user:{}@a.test/?api_key={}"}'),
    body("bom", '\ufeff{"api_key": "{}"}', encoding="utf-8"),
    body("not utf-8", '\xff{"api_key": "{}"}'),
    body("ndjson", '{"a": 1}\n{"api_key": "{}"}\n'),
    body("utf-16", '{"api_key": "{}"}', encoding="utf-16"),
    # -- what is no JSON
    body("unfinished", '{"broken": 1, "api_key" : "{}'),
    body("unfinished object", '{"broken": 1, "secret" : {"deep": "{}'),
    body("unfinished number", '{"broken": 1, "password" : [1, "{}", '),
    body("escaped and unfinished", '{"api\\u005fkey": "{}'),
    body("string and unfinished", '{"arguments": "{\\"api_key\\": \\"{}\\"'),
    body("url and unfinished", '{"url": "http://user:{}@a.test/?key={}", '),
    body("single quotes", "{'api_key': '{}'}"),
    body("no quotes", "{api_key: {}}"),
    body("trailing comma", '{"password": "{}",}'),
    body("yaml", "model: a\napi_key: {}\n"),
    body("single value", "password={}"),
    # -- forms
    body("form", "client_secret={}&grant_type=x", _FORM),
    body("form, odd case", "grant_type=x&Client_Secret={}", _FORM),
    body("form, encoded name", "api%5Fkey={}&x=1", _FORM),
    body("form, assertion", "client_assertion={}", _FORM),
    body("form, spaces", "a=b c&password=a {}&x=1", _FORM),
    body("form, some json", 'x=1 {"api_key": "{}"}', _FORM),
    body("form, json", "payload=" + quote('{"api_key":"{}"}', safe="{}"), _FORM),
    body("multipart", _DISPOSITION + 'name="api_key"\r\n\r\n{}\r\n--b--', _PARTS),
    body("multipart, no quotes", _DISPOSITION + "name=api_key\r\n\r\n{}\r\n--b--", _PARTS),
    body("multipart, file", _DISPOSITION + 'name="password"; filename="x"\r\nX: y\r\n\r\n{}\r\n--b--', _PARTS),
    body("multipart, line feeds", '--b\nContent-Disposition: form-data; name="secret"\n\n{}\n--b--', _PARTS),
    body("multipart, odd case", '--b\r\ncontent-disposition: form-data; NAME="API_KEY"\r\n\r\n{}\r\n--b--', _PARTS),
    body("multipart, json", _DISPOSITION + 'name="j"\r\n\r\n{"api_key": "{}"}\r\n--b--', _PARTS),
    # -- cut
    _cut("cut", '{"a": "PADDING", "api_key": "{}"'),
    _cut("cut object", '{"a": "PADDING", "secret": {"b": "{}"'),
    _cut("cut form", "a=PADDING&password={}"),
    _cut("cut part", _DISPOSITION + 'name="a"\r\n\r\nPADDING\r\n' + _DISPOSITION + 'name="token"\r\n\r\n{}'),
    # -- targets
    Canary("user", "http://user:canaryuser@a.test/miss", (), b"", ("canaryuser",)),
    Canary("absolute", "http://a.test/miss?key=canaryabs", (), b"", ("canaryabs",)),
)
