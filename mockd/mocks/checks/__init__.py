"""Checks of mocks that find what can hardly be meant as it is written; `mockd.mocks.warnings` lists them."""
