"""The command line: a client of the admin API, and the way to start the server."""
