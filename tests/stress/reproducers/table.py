"""All reproducers: what strangers have sent, or could send, to stop the streams of others."""

from __future__ import annotations

from collections.abc import Callable

from tests.stress.reproducers.admin import ADMIN
from tests.stress.reproducers.keys import KEYS
from tests.stress.reproducers.matching import MATCHING
from tests.stress.reproducers.models import MODELS
from tests.stress.reproducers.protocol import PROTOCOL
from tests.stress.server import Server

REPRODUCERS: dict[str, Callable[[Server], None]] = {**PROTOCOL, **MODELS, **ADMIN, **MATCHING, **KEYS}
"""Each raises `AssertionError` if an answer is not as it must be."""
