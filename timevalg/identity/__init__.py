"""Tokens to identities: whose signature counts, and what a token must say to be believed."""
