"""Matching: finding the mock that answers a request."""

from mockd.matching.rule import Rule, capture_names
from mockd.matching.table import Layered, Match, MatchTable, Miss, Table

__all__ = ["Layered", "Match", "MatchTable", "Miss", "Rule", "Table", "capture_names"]
