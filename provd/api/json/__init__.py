"""JSON over HTTPS for scripts: the operations table with tokens, its OpenAPI document, live events."""
