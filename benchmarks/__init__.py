"""Measures mockd beside its peers: `benchmarks/run --help`, and docs/performance.md."""
