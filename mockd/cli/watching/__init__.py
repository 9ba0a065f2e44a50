"""The live view of a stream in a terminal."""
