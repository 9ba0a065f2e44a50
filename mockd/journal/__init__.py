"""Requests and their answers, as they are listed, counted and remembered."""
