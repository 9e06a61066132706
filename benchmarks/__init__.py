"""Measurements, and the real servers that they and the tests run on."""
