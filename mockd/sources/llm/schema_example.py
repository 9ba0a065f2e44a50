"""A JSON value that is valid against a schema, for replies that were asked to be."""

from __future__ import annotations

from typing import Any

from mockd.jsontext import encode_json


def example_text(schema: Any) -> str:
    """JSON text that is valid against `schema`."""
    return encode_json(example(schema)).decode()


def example(schema: Any) -> Any:
    """A value that is valid against `schema`."""
    raise NotImplementedError
