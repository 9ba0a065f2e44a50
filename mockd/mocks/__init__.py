"""The mocks of an engine: a set that is changed as a whole, and what each mock is while it runs."""
