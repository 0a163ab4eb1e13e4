"""One request from start to end: bytes or a path in, an answer and events out."""
