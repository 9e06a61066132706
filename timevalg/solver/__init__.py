"""Exact slot search on bitmaps, places, ranking, and the verifier: pure functions on values."""
