"""Matching: finding the mock that answers a request."""

from mockd.matching.rule import Rule, capture_names
from mockd.matching.table import Match, MatchTable, Miss

__all__ = ["Match", "MatchTable", "Miss", "Rule", "capture_names"]
