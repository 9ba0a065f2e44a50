"""mockd: a mock server for streaming HTTP APIs."""

__version__ = "0.1.0"
