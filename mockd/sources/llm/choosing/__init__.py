"""Choosing a mock's reply to a request, and making it what the request asks for."""
