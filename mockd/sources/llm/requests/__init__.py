"""Requests to models, in the same terms for every provider."""
