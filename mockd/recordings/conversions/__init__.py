"""Recordings from and to the formats of other tools. What a format cannot carry is said."""
