"""The hand on a stream: tests hold streams, let them go on step by step, push events into them and wait for them. A
stream on which nobody lays a hand has none of this."""

from __future__ import annotations

from mockd.hand.hands import Hands

__all__ = ["Hands"]
