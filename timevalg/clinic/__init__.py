"""The clinic file: read, checked, and everything wrong with it said at once."""

from timevalg.clinic.files import Written, from_sources, from_text, read_files
from timevalg.clinic.read import read, read_beside, read_sources, stated_organisation
from timevalg.clinic.schema import json_schema
from timevalg.clinic.summary import ClinicSummary, summary

__all__ = [
    "ClinicSummary",
    "Written",
    "from_sources",
    "from_text",
    "json_schema",
    "read",
    "read_beside",
    "read_files",
    "read_sources",
    "stated_organisation",
    "summary",
]
