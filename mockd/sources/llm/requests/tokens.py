"""The number of tokens of a request, for which its words stand."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from typing import Any

from mockd.jsontext import encode_json
from mockd.sources.llm.requests.ask import Turn
from mockd.sources.llm.requests.options import objects

IMAGE_TOKENS = 85
"""Tokens of an image, whatever its size: what OpenAI takes for one of low detail."""

_COUNTED = 262_144
"""Characters in which words are counted, which takes some milliseconds."""


def words_in(turns: Iterable[Turn]) -> int:
    """The number of words of a conversation, which stands for its number of tokens."""
    return count_words(turn.text for turn in turns)


def count_words(texts: Iterable[str]) -> int:
    """The number of words of texts. If they are very long, it is estimated from how many their beginning has."""
    words = counted = characters = 0
    for text in texts:
        characters += len(text)
        if counted < _COUNTED:
            beginning = text[: _COUNTED - counted]
            words += len(beginning.split())
            counted += len(beginning)
    return words if characters <= counted else words * characters // counted


def tokens_beside(body: Mapping[str, Any]) -> int:
    """The number of tokens of what a request has beside its texts: declarations of tools, and images."""
    words = sum(_words_of(body[name]) for name in _DECLARING if body.get(name))
    return words + IMAGE_TOKENS * _images_in(body)


_DECLARING = ("tools", "functions")
_WORD = re.compile(r"[^\W_]+")
_LISTS = ("messages", "contents", "input")
"""Fields that may have a conversation."""
_IMAGES = ("image", "image_url", "input_image")
_DATA = frozenset({"inlineData", "inline_data", "fileData", "file_data"})


def _words_of(value: Any) -> int:
    """The number of words in all names and texts of a JSON value, estimated from the beginning of a long one."""
    text = encode_json(value).decode()
    words = len(_WORD.findall(text[:_COUNTED]))
    return words if len(text) <= _COUNTED else words * len(text) // _COUNTED


def _images_in(body: Mapping[str, Any]) -> int:
    return _listed(body) + sum(images_among(objects(body.get(name))) for name in _LISTS)


def images_among(messages: Iterable[Mapping[str, Any]]) -> int:
    """The number of images in messages."""
    found = 0
    for message in messages:
        found += _listed(message)
        found += sum(map(_is_image, objects(message.get("content") or message.get("parts"))))
    return found


def _listed(holder: Mapping[str, Any]) -> int:
    """The number of images in a list of them, as Ollama's requests and messages have it."""
    images = holder.get("images")
    return len(images) if isinstance(images, list) else 0


def _is_image(part: Mapping[str, Any]) -> bool:
    return part.get("type") in _IMAGES or not _DATA.isdisjoint(part)
