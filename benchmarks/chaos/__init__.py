"""Chaos: workers, Redis, PostgreSQL and connections fail while letters and events leave."""
