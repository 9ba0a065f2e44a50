"""JSON schemas in requests: whether a value is valid against one, and values made for one."""
