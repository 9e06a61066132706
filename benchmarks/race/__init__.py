"""Writers race for times on a real PostgreSQL: ``python -m benchmarks.race``; see docs/race.md."""
