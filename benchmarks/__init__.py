"""Benchmarks: measured on demand, reported in docs/performance.md."""
