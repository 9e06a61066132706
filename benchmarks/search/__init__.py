"""How fast the slot search is, beside the limit and beside what others do (docs/search.md)."""
