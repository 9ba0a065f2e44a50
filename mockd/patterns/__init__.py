"""Patterns that users write, and the time that looking for them in what clients send may take."""

from mockd.patterns.effort import APART, AT_ONCE, Effort, NotAtOnceError, OutOfTimeError
from mockd.patterns.pattern import LONGEST_PATTERN, Pattern, check_pattern, compiled
from mockd.patterns.wildcards import fits_pieces

__all__ = [
    "APART",
    "AT_ONCE",
    "LONGEST_PATTERN",
    "Effort",
    "NotAtOnceError",
    "OutOfTimeError",
    "Pattern",
    "check_pattern",
    "compiled",
    "fits_pieces",
]
