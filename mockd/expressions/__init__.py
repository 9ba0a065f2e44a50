"""Texts that depend on the request, such as `{{ request.body.model }}`: what they may say, and what they may make."""
