"""The local API: operations as JSON over HTTP on a socket, and its client."""
