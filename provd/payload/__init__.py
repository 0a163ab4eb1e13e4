"""Boot payloads: loaders and installer kernels from signed distribution packages, unpacked into the data directory."""
