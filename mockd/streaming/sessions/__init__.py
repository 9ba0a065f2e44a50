"""Sessions: streams that clients can come back to."""
