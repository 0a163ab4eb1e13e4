"""Recognises install media: a directory, an ISO image, a tree on a web server."""
