"""Cursors, from which a stream takes its rows when they are due."""
