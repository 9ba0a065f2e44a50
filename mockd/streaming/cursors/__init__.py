"""Cursors: what a stream takes its bytes from, each when it is due."""
