"""The pictures in the README, each from a real run."""
