"""What providers' services refuse, in their own words: mistakes in requests, wrong keys, spent rates."""
