"""The configuration that users write: pure data, checked when it is loaded."""
