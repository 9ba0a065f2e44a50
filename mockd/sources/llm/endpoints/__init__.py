"""Endpoints of providers that give whole answers, and what they store."""
