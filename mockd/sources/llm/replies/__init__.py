"""Models' replies, described once for all providers."""
