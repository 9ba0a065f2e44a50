"""The test in the picture, with the client that it looks at."""
