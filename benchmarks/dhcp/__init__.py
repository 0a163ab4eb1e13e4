"""DHCP benchmarks; run on demand, never as a test."""
