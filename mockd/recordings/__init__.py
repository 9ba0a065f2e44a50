"""Recordings of exchanges, in the format `.stream.jsonl`: reading, writing, redaction, conversion."""
