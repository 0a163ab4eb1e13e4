"""Disk images: build one from packages, import a vendor's, keep both as hashed chunks."""
