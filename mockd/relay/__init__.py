"""Relaying requests to other servers, and their answers back, as they arrive."""
