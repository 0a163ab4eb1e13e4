"""Configuration: ``provd.toml``, and the catalogue of distros, profiles and declared systems."""
