"""Matching: finding the mock that answers a request."""

from mockd.matching.rule import Rule
from mockd.matching.table import Match, MatchTable, Miss

__all__ = ["Match", "MatchTable", "Miss", "Rule"]
