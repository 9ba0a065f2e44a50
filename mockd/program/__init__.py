"""Plans: what a stream sends and when, worked out once when its mock is registered."""
