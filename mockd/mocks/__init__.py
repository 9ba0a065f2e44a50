"""The mocks of an engine: a set that is changed as a whole, and the running form of each mock."""
