"""The command line: it starts the server and is a client of its admin API."""
