"""The HTTP API: FastAPI over the use cases; no rule of its own."""
