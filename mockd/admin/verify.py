"""The operation that verifies which requests came."""

from __future__ import annotations

from contextlib import ExitStack
from typing import Any

from mockd.admin.calls import Call
from mockd.admin.requests import journal_of
from mockd.config.conversion import convert
from mockd.config.verification import Verification
from mockd.engine import Engine
from mockd.judging.claims import Claim, claim_of
from mockd.judging.verify import Verifier


async def verify(engine: Engine, call: Call) -> Any:
    """Verify which requests came: how often, or in which order."""
    settings, journal = engine.settings, journal_of(engine)
    verification, claim = await engine.serving.apart(lambda: _read(call))
    verifier = Verifier(journal, engine.serving.apart, is_open=settings.journal_secrets, max_waits=settings.max_waits)
    with ExitStack() as keys:
        for key in {expected.key for expected in claim.expected if expected.key}:
            # A key is not forgotten while somebody waits for its requests.
            engine.keys.began(key)
            keys.callback(engine.keys.ended, key)
        return await verifier.verify(claim, verification.within_seconds)


def _read(call: Call) -> tuple[Verification, Claim]:
    verification = convert(call.json(), Verification)
    return verification, claim_of(verification)
