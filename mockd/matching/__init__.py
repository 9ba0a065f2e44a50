"""From a request to the mock that answers it."""

from mockd.matching.rule import Rule
from mockd.matching.table import Match, MatchTable, Miss

__all__ = ["Match", "MatchTable", "Miss", "Rule"]
