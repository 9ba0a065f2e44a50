"""What tests claim of the requests in the journal, and whether it is so."""
