"""Use cases, one verb a file, and the ports they need; each is called with a Principal."""
