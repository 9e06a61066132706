"""The clinic file: read, checked, and everything wrong with it said at once."""

from timevalg.clinic.read import read, read_beside, read_sources
from timevalg.clinic.schema import json_schema
from timevalg.clinic.summary import ClinicSummary, summary

__all__ = ["ClinicSummary", "json_schema", "read", "read_beside", "read_sources", "summary"]
